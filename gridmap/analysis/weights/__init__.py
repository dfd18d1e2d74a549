"""Who is whose neighbour: contiguity, distance bands, nearest."""
