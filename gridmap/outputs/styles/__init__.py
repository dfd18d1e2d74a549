"""How layers are drawn: one symbology, and its dialects for QGIS, SLD and MapLibre."""
