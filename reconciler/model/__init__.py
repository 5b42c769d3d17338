"""The vocabulary everybody imports and that imports nobody."""
