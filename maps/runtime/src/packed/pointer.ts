import L from "leaflet";
import { make } from "../dom";
import { Halo } from "../popup";
import type { PackedFeatures } from "./features";
import { PointCanvas } from "./pointcanvas";

/** A packed layer that answers the pointer. */
export interface Target {
  features: PackedFeatures;
  layer: L.Layer;
  tooltip: string | null;
  /** Whether it lies above the layers of the map's own canvas. */
  onTop: boolean;
  /** Whether there is anything to tell of a feature. */
  clickable: boolean;
}

interface Hovering {
  _hoveredLayer?: L.Layer | null;
}

const pointers = new WeakMap<L.Map, Pointer>();

export function pointerOf(map: L.Map): Pointer {
  const pointer = pointers.get(map) ?? new Pointer(map);
  pointers.set(map, pointer);
  return pointer;
}

/** One pointer for all packed layers: the uppermost feature under it answers, and no other. */
class Pointer {
  private readonly targets: Target[] = [];
  private readonly halo: Halo;
  private readonly tip = L.tooltip({ sticky: true, className: "gm-tooltip" } as L.TooltipOptions);
  private over: [Target, number] | null = null;
  private frame = 0;

  constructor(private readonly map: L.Map) {
    // A canvas as large as the map would be copied for every frame from the first hover on.
    this.halo = new Halo(map, L.svg());
    map.on("click", ({ latlng }: L.LeafletMouseEvent) => this.click(latlng));
    map.on("mousemove", ({ latlng }: L.LeafletMouseEvent) => this.soon(latlng));
    map.on("mouseout movestart zoomstart", () => this.leave());
  }

  add(target: Target): void {
    this.targets.push(target);
    target.layer.on("add", () => {
      this.targets.splice(this.targets.indexOf(target), 1);
      this.targets.push(target);
    });
    target.layer.on("remove", () => this.leave());
  }

  private click(at: L.LatLng): void {
    for (const { layer } of this.targets) {
      if (layer instanceof PointCanvas && this.map.hasLayer(layer) && layer.enter(at)) return;
    }
    const found = this.find(at);
    if (found) found[0].features.select(found[1], at);
  }

  /** The pointer moves far more often than the screen shows. */
  private soon(at: L.LatLng): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.hover(at));
  }

  private hover(at: L.LatLng): void {
    const found = this.find(at);
    if (!found) {
      this.leave();
      return;
    }
    const [{ features, tooltip }, row] = found;
    if (this.over?.[0] !== found[0] || this.over[1] !== row) {
      this.over = found;
      this.halo.show(features.canvas.geometry(row), features.canvas.styleOf(row));
      this.map.getContainer().classList.add("gm-over");
      if (tooltip === null) this.map.closeTooltip(this.tip);
      else this.tip.setContent(make("span", {}, features.text(row, tooltip)));
    }
    if (tooltip !== null) this.tip.setLatLng(at).openOn(this.map);
  }

  private leave(): void {
    cancelAnimationFrame(this.frame);
    if (!this.over) return;
    this.over = null;
    this.halo.clear();
    this.map.closeTooltip(this.tip);
    this.map.getContainer().classList.remove("gm-over");
  }

  private find(at: L.LatLng): [Target, number] | null {
    const above = (this.map.options.renderer as Hovering | undefined)?._hoveredLayer;
    for (const target of [...this.targets].reverse()) {
      if (!target.clickable || !this.map.hasLayer(target.layer)) continue;
      // The layers of the map's own canvas lie above packed areas and lines.
      if (above && !target.onTop) continue;
      const row = target.features.canvas.hit(at);
      if (row >= 0) return [target, row];
    }
    return null;
  }
}
