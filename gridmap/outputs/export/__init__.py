"""Layers for GIS desktops: one table of formats, one writer for each.

=============  =====================================================================
module         what it is for
=============  =====================================================================
`formats`      the table: suffix, writer, and what a format loses
`job`          what is to be written: layers as chosen, system, language, warnings
`selection`    which layers, places, times and columns, and what is shown of persons
`systems`      the coordinate system to write in
=============  =====================================================================

All others write one format each.
"""
