"""What is wrong with a grid layer, and mending what is safe."""
