"""Pages: folium elements, packed layers, base maps, and the runtime that draws them."""
