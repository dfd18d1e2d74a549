"""The maps of the catalogue, drawn on pages."""
