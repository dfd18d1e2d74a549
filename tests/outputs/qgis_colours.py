"""Run by QGIS's own Python: prints how it draws the layers of a GeoPackage, as JSON."""

import json
import sqlite3
import sys

from qgis.core import QgsApplication, QgsRenderContext, QgsVectorLayer


def described(path, name):
    """Return the layer's system, alias and renderer, and the colour of every feature by code."""
    layer = QgsVectorLayer(f"{path}|layername={name}", name, "ogr")
    _, styled = layer.loadDefaultStyle()
    assert layer.isValid() and styled, name
    renderer, context = layer.renderer(), QgsRenderContext()
    colours = {}
    if renderer.type() != "heatmapRenderer":
        context.setExpressionContext(layer.createExpressionContext())
        renderer.startRender(context, layer.fields())
        for feature in layer.getFeatures():
            context.expressionContext().setFeature(feature)
            symbol = renderer.symbolForFeature(feature, context)
            colours[str(feature["code"])] = symbol.color().name() if symbol else None
        renderer.stopRender(context)
    alias = layer.attributeAlias(layer.fields().indexOf("code"))
    crs = layer.crs().authid()
    return {"crs": crs, "alias": alias, "renderer": renderer.type(), "colours": colours}


QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
geopackage = sys.argv[1]
names = sqlite3.connect(geopackage).execute(
    "SELECT table_name FROM gpkg_contents WHERE data_type = 'features'"
)
print(json.dumps({name: described(geopackage, name) for (name,) in names.fetchall()}))
