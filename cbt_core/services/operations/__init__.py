"""The server's keeper: storage, a check of everything in place, the demonstration."""
