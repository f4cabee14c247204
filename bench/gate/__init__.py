"""How well the gate catches: honest outputs, and the same outputs spoiled in one way each."""
