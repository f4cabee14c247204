"""What starts and wires the application."""
