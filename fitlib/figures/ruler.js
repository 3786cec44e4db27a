// Ruler: the unit ball of a norm, a gradient, the step it gives, the path of such steps. Numbers, drawing, wiring.

const PARTS = 720; // of a turn: the gradients whose steps are the edge of the ball

/** From the state of the figure to its numbers: the `step` for a gradient, the `ball`, and the `path` with its losses. */
function engine(spec, code, get) {
  const read = (refs) => refs.map((ref) => (typeof ref === "string" ? get(ref) : ref));
  const step = (g) => code.direction(g, read(spec.ball));
  return {
    step,
    ball: () => Array.from({ length: PARTS + 1 }, (_, i) => (2 * Math.PI * (i + 0.5)) / PARTS) // no gradient along an axis
      .map((angle) => step([Math.cos(angle), Math.sin(angle)])),
    value: (point) => code.loss(point, read(spec.parameters)),
    path() {
      const parameters = read(spec.parameters), points = [], losses = [];
      const gradient = (g) => code.gradient(g, parameters, undefined, undefined, g);
      fold(code.rule, Float64Array.from(read(spec.hyper)), spec.start, spec.steps, gradient, (t, state) => {
        points.push([state[0], state[1]]);
        losses.push(code.loss(state, parameters));
        return Number.isFinite(losses[t]);
      });
      return { points, losses };
    },
  };
}

/** A step in words. */
function words(spec, { points, losses }, g, d) {
  const pair = (v) => `(${v.map((x) => show(Number(x.toFixed(4)), 2)).join(", ")})`, end = losses.at(-1), inside = Number.isFinite(end);
  return sentences([
    `against the gradient ${pair(g)} the steepest step of length 1 is ${pair(d)}: the loss falls by ${show(-g[0] * d[0] - g[1] * d[1])}`,
    inside ? `${spec.steps} such steps on the loss lead from ${show(losses[0])} to ${show(end)}`
      : `such steps diverge on the loss: the numbers stop being finite in step ${points.length - 1}`,
  ]);
}

/** An arrow from the middle to a place, in pixels. */
function arrow(p, [x, y]) {
  const X = p.x(x) - p.x(0), Y = p.y(y) - p.y(0), size = Math.hypot(X, Y) || 1, [u, v] = [(9 * X) / size, (9 * Y) / size];
  const head = (s) => `M${p.x(x)} ${p.y(y)}l${-u - s * 0.5 * v} ${-v + s * 0.5 * u}`;
  return `M${p.x(0)} ${p.y(0)}L${p.x(x)} ${p.y(y)}${head(1)}${head(-1)}`;
}

/** The ball, the gradient that is dragged, the step, and the line of equal loss that touches the ball there. */
function ballView(life, spec, put) {
  const p = panel(life, { title: "the unit ball", className: "fm-map" }), { reach } = spec;
  const touch = p.path("fm-contours"), edge = p.path("fm-curve"), pull = p.path("fm-arrow"), step = p.path("fm-way");
  const names = p.over.appendChild(svg("g", {}));
  const handle = svg("circle", { class: "fm-hit", r: 16, tabindex: 0, role: "slider", "aria-label": "gradient",
    "aria-valuemin": -reach, "aria-valuemax": reach });
  const place = p.over.appendChild(svg("g", { class: "fm-start" }, handle, svg("circle", { class: "fm-ring", r: 7.5 })));
  const handy = (v) => Number(clamp(v, -reach, reach).toFixed(2));
  let now = [0, 0], finger = false; // it scrolls the page, unless it drags the gradient; where it taps, the gradient goes
  const to = ([x, y]) => put([handy(x), handy(y)]);
  const pick = (event) => {
    finger = event.pointerType === "touch";
    return event.target === handle || (!finger && p.hits(event));
  };
  movable(life, p, { handle, pick, to, nudge: (...by) => to(now.map((v, i) => v + Math.sign(by[i]) * Math.max(0.01, Math.abs(by[i]) * 2))) });
  life.on(p.plot, "click", (event) => finger && p.hits(event) && to(p.at(event)));
  const beside = (text, [x, y]) => svg("text", { class: "fm-name", x: clamp(p.x(x) + (x < 0 ? -12 : 12), 30, p.w - 30),
    y: clamp(p.y(y) + (y < 0 ? 18 : -10), 12, p.h - 4), "text-anchor": x < 0 ? "end" : "start" }, text);
  return {
    panel: p,
    frame() {
      p.height((width) => width);
      p.frame({ x: [-reach, reach], y: [-reach, reach] });
    },
    draw(g, d, ball) {
      now = g;
      const size = Math.hypot(...g), [u, v] = [-g[1] / size, g[0] / size], far = 4 * reach;
      set(touch, { d: size > 0 ? `M${p.x(d[0] - far * u)} ${p.y(d[1] - far * v)}L${p.x(d[0] + far * u)} ${p.y(d[1] + far * v)}` : "" });
      set(edge, { d: trace(ball.map(([x]) => p.x(x)), ball.map(([, y]) => p.y(y))) });
      set(pull, { d: arrow(p, g) });
      set(step, { d: arrow(p, d) });
      names.replaceChildren(beside("gradient", g), beside("step", d));
      set(place, { transform: `translate(${p.x(g[0])} ${p.y(g[1])})` });
      set(handle, { "aria-valuenow": g[0], "aria-valuetext": `${show(g[0])}, ${show(g[1])}` });
    },
  };
}

const LINES = [0.02, 0.08, 0.17, 0.27, 0.37, 0.48, 0.59, 0.7, 0.8, 0.9]; // shares of the map below each line

/** The loss by lines of equal height, with the path. */
function pathView(life, spec, now) {
  const p = panel(life, { title: "φ₁", name: "path on the loss", xlabel: "φ₀" }), [[x0, x1], [y0, y1]] = spec.box, n = 80;
  const lines = p.path("fm-contours"), halo = p.path("fm-halo"), way = p.path("fm-way"), dots = p.path("fm-beads", "var(--fm-accent)");
  return {
    panel: p,
    frame() {
      p.height((width) => (width * (y1 - y0)) / (x1 - x0));
      p.frame({ x: spec.box[0], y: spec.box[1] });
    },
    surface() {
      const z = sample((x, y) => now.value([x, y]), spec.box, n, n);
      const X = (v) => ((v / (n - 1)) * p.w).toFixed(1), Y = (v) => ((1 - v / (n - 1)) * p.h).toFixed(1);
      const d = quantiles(z, LINES).flatMap((level) => joined(contours(z, n, n, level))).map((line) =>
        line.map((_, i) => (i % 2 ? "" : `${i ? "L" : "M"}${X(line[i])} ${Y(line[i + 1])}`)).join(""));
      set(lines, { d: d.join("") });
    },
    draw(points) {
      const xs = points.map(([x]) => p.x(x)), ys = points.map(([, y]) => p.y(y)), d = trace(xs, ys);
      set(halo, { d });
      set(way, { d });
      set(dots, { d: beads(xs, ys) });
    },
  };
}

/** The loss against the step. */
function lossView(life, { steps }) {
  const p = panel(life, { title: "loss (log scale)", xlabel: "step" }), line = p.path("fm-way");
  return {
    panel: p,
    draw(losses) {
      const seen = losses.filter((v) => Number.isFinite(v) && v > 0), hi = Math.max(...seen);
      p.frame({ x: [0, steps], y: [Math.max(Math.min(...seen) / 1.5, hi * 1e-16), hi * 1.5], log: true });
      set(line, { d: trace(losses.map((_, t) => p.x(t)), losses.map(p.y)) });
    },
  };
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = await load(spec.code), life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name), now = engine(spec, code, get);
  const put = (value) => { model.set("pull", value); model.save_changes(); };
  const ball = ballView(life, spec, put), path = pathView(life, spec, now), loss = lossView(life, spec);
  const side = html("div", { class: "fm-side" }, path.panel.root, loss.panel.root);
  for (const node of side.children) node.style.minWidth = "220px"; // side by side on a phone they would be too small
  loss.panel.box.style.minHeight = "150px";
  ui.panels.append(ball.panel.root, side);
  let seen = now.path();
  const dirty = new Set(["size", "loss"]);
  const tables = ui.tables(() => [table("the path: loss, φ₀ and φ₁ after some steps", ["step", "loss", "φ₀", "φ₁"],
    seen.points.map(([x, y], t) => [t, show(seen.losses[t]), show(x), show(y)]).filter((_, t) => t % Math.ceil(spec.steps / 10) === 0))]);
  const draw = () => {
    if (dirty.has("size")) {
      ball.frame();
      path.frame();
    }
    if (dirty.size) path.surface();
    dirty.clear();
    const g = get("pull"), d = now.step(g);
    seen = now.path();
    ball.draw(g, d, now.ball());
    path.draw(seen.points);
    loss.draw(seen.losses);
    ui.say(words(spec, seen, g, d));
    tables();
  };
  const request = life.frame(draw), ofLoss = new Set(spec.parameters);
  const asNorm = (v) => (v < 1 ? show(1 / (1 - v), 3) : "∞");
  ui.controls.append(...spec.sliders.map((options) => (options.name === spec.norm
    ? slider(life, model, { ...options, text: asNorm }) : control(life, model, options)).root));
  life.listen(model, ["pull"], request);
  life.listen(model, spec.sliders.map(({ name }) => name), (name) => {
    if (ofLoss.has(name)) dirty.add("loss");
    request();
  });
  const pair = { write: String, read: (text) => parse(text, [[-spec.reach, spec.reach], [-spec.reach, spec.reach]]) };
  tools(life, model, ui, spec, { pull: pair, ...fieldsOf(spec.sliders) });
  draw();
  life.resized(ui.panels, life.frame(() => { dirty.add("size"); draw(); }));
  return () => life.end();
}

export default { render };
