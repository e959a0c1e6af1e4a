"""What a study is made of: frozen dataclasses and pure functions. Standard library only."""
