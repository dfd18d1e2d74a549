"""The shapes of a design: atoms, cells around them, outlines."""
