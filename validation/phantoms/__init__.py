"""The only phantom maker: objects whose truth is known, for demo, tests, bench and validation kit."""
