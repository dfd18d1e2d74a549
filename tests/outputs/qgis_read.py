"""Run by QGIS's own Python: tells how it reads and draws layers, and prints layouts, as JSON.

Standard input is a JSON object: ``sources`` lists ``{source, style, png}``, where the style is
``default`` for that of the file itself or the path of a QML or SLD file, and ``places`` may give
``{at, pixel_m, ground}``: points to draw around, by name, at so many metres a pixel over a colour.
``project`` is a project
whose layers are told, and ``layouts`` a folder that gets its layouts as PDF and PNG.
"""

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsLayoutExporter,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsNetworkAccessManager,
    QgsProject,
    QgsRectangle,
    QgsRenderContext,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

PIXELS = 600


def colours_of(layer, key="code"):
    """Return the colour that the renderer gives to every feature, by its key."""
    renderer, context = layer.renderer(), QgsRenderContext()
    if renderer is None or renderer.type() == "heatmapRenderer":
        return {}
    colours = {}
    context.setExpressionContext(layer.createExpressionContext())
    context.setRendererScale(1000)
    renderer.startRender(context, layer.fields())
    names = [field.name() for field in layer.fields()]
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        symbols = renderer.symbolsForFeature(feature, context)
        # The rule for all others counts for every feature, and comes last. Of the layers of a
        # symbol the last is seen: a line lies on its casing.
        last = symbols[0] if symbols else None
        shown = last.symbolLayer(last.symbolLayerCount() - 1).color() if last else None
        code = str(feature[key]) if key in names else str(feature.id())
        colours[code] = shown.name() if shown else None
    renderer.stopRender(context)
    return colours


def classes_of(layer):
    """Return the labels and bounds of the classes."""
    renderer = layer.renderer()
    kind = renderer.type() if renderer else ""
    if kind == "graduatedSymbol":
        return [[r.label(), r.lowerValue(), r.upperValue()] for r in renderer.ranges()]
    if kind == "categorizedSymbol":
        return [[c.label(), str(c.value())] for c in renderer.categories()]
    if kind == "RuleRenderer":
        return [[r.label(), r.filterExpression()] for r in renderer.rootRule().children()]
    return []


def sampled(layer, at, pixel_m, ground):
    """Draw a layer around places, and return the colour at each, as on a screen of 96 dpi."""
    layer.setLabelsEnabled(False)
    settings, around, found = QgsMapSettings(), 20, {}
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setOutputSize(QSize(2 * around + 1, 2 * around + 1))
    settings.setOutputDpi(96)
    settings.setBackgroundColor(QColor(ground))
    half = (around + 0.5) * pixel_m
    for name, (x, y) in at.items():
        settings.setExtent(QgsRectangle(x - half, y - half, x + half, y + half))
        job = QgsMapRendererParallelJob(settings)
        job.start()
        job.waitForFinished()
        found[name] = QColor(job.renderedImage().pixel(around, around)).name()
    return found


def described(layer, png=""):
    """Return what can be told of a layer, and draw it if asked to."""
    extent = layer.extent()
    told = {
        "valid": layer.isValid(),
        "crs": layer.crs().authid(),
        "crs_name": layer.crs().description(),
        "count": layer.featureCount(),
        "fields": [field.name() for field in layer.fields()],
        "aliases": {f.name(): layer.attributeAlias(i) for i, f in enumerate(layer.fields())},
        "widgets": {
            f.name(): layer.editorWidgetSetup(i).type() for i, f in enumerate(layer.fields())
        },
        "renderer": layer.renderer().type() if layer.renderer() else "",
        "classes": classes_of(layer),
        "colours": colours_of(layer),
        "labels": layer.labeling().settings().fieldName if layer.labelsEnabled() else "",
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "rows": [
            [None if str(value) == "NULL" else str(value) for value in feature.attributes()]
            for _, feature in zip(range(5), layer.getFeatures(), strict=False)
        ],
    }
    if png:
        told["pixels"] = drawn(layer, png)
    return told


def drawn(layer, png):
    """Draw a layer without labels; return the colour at a point inside of each feature."""
    layer.setLabelsEnabled(False)
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    extent = layer.extent()
    extent.scale(1.05)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(PIXELS, PIXELS))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(png)
    to_pixel, found = settings.mapToPixel(), {}
    for feature in layer.getFeatures():
        at = to_pixel.transform(feature.geometry().pointOnSurface().asPoint())
        found[str(feature["code"])] = QColor(image.pixel(int(at.x()), int(at.y()))).name()
    return found


def opened(source, style):
    """Return a layer with its style."""
    layer = QgsVectorLayer(source, "layer", "ogr")
    if style == "default":
        layer.loadDefaultStyle()
    elif style.endswith(".sld"):
        _, done = layer.loadSldStyle(style)
        assert done, style
    elif style:
        _, done = layer.loadNamedStyle(style)
        assert done, style
    return layer


def printed(project, folder):
    """Print the layouts to PDF, and their first pages to PNG; return what can be told of them."""
    told = {}
    for layout in project.layoutManager().printLayouts():
        atlas = layout.atlas()
        pages = atlas.updateFeatures() if atlas.enabled() else 1
        stem = f"{folder}/{layout.name()}"
        exporter, pictures = QgsLayoutExporter(layout), QgsLayoutExporter.ImageExportSettings()
        pictures.dpi = 96
        if atlas.enabled():
            atlas.beginRender()
            atlas.first()
            layout.refresh()
        done = exporter.exportToImage(f"{stem}.png", pictures)
        if atlas.enabled():
            atlas.endRender()
            paper = QgsLayoutExporter.PdfExportSettings()
            paper.dpi = 72
            done, _ = exporter.exportToPdf(atlas, f"{stem}.pdf", paper)
        told[layout.name()] = {"pages": pages, "done": int(done), "items": sorted(
            {type(item).__name__ for item in layout.items()})}  # fmt: skip
    return told


def main():
    """Answer one question."""
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    QgsNetworkAccessManager.instance()
    asked, told = json.load(sys.stdin), {"layers": {}}
    for name, one in asked.get("sources", {}).items():
        layer = opened(one["source"], one.get("style", ""))
        told["layers"][name] = described(layer, one.get("png", ""))
        if "places" in one:
            told["layers"][name]["seen"] = sampled(layer, **one["places"])
    if "project" in asked:
        project = QgsProject.instance()
        told["read"] = project.read(asked["project"])
        told["crs"], told["title"] = project.crs().authid(), project.title()
        root = project.layerTreeRoot()
        told["groups"] = [group.name() for group in root.children()]
        told["order"] = [layer.name() for layer in root.layerOrder()]
        told["visible"] = [layer.name() for layer in root.checkedLayers()]
        told["themes"] = project.mapThemeCollection().mapThemes()
        for layer in project.mapLayers().values():
            told["layers"][layer.name()] = described(layer)
        if "layouts" in asked:
            told["layouts"] = printed(project, asked["layouts"])
    print(json.dumps(told))


main()
