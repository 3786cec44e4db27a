// Descent: rules on a loss over two parameters. First mathematics, then drawing, then wiring.

/** The path of a rule and its losses. `gradient(point, t)` overwrites the point and returns the loss there (on batch t). */
function descend(rule, hyper, start, steps, gradient, value, whole) {
  const make = () => new Float64Array(steps + 1).fill(NaN);
  const run = { xs: make(), ys: make(), losses: make(), rates: hyper.map(make), end: steps + 1 };
  const { xs, ys, losses, rates } = run, h = new Float64Array(hyper.length);
  let now, known;
  const grad = (point) => {
    const here = point[0] === xs[now] && point[1] === ys[now], found = gradient(point, now + 1);
    if (whole && here) known = found; // the gradient brings the loss with it
  };
  const settled = (t) => {
    losses[t] = known ?? value([xs[t], ys[t]]);
    known = undefined;
    if (!Number.isFinite(losses[t] + xs[t] + ys[t])) run.end = t;
    return run.end > t;
  };
  fold(rule, h, start, steps, grad, (t, state) => {
    if (t > 0 && !settled(t - 1)) return false;
    now = t;
    xs[t] = state[0];
    ys[t] = state[1];
    if (t < steps) hyper.forEach((v, i) => { h[i] = rates[i][t + 1] = typeof v === "function" ? v(t + 1) : v; });
    return t < steps || settled(t);
  });
  return run;
}

/** The critical point near `from`, by Newton's method in short steps: place, kind, eigenvalues; or undefined. */
function critical(from, [[x0, x1], [y0, y1]], gradient, hessian) {
  const point = Float64Array.from(from), g = new Float64Array(2), h = new Float64Array(4);
  for (let i = 0; i < 50; i++) {
    g.set(point);
    gradient(g);
    hessian(point, h);
    const [a, b, , d] = h, det = a * d - b * b, middle = (a + d) / 2, radius = Math.hypot((a - d) / 2, b);
    const dx = (d * g[0] - b * g[1]) / det, dy = (a * g[1] - b * g[0]) / det;
    const size = Math.hypot(dx / (x1 - x0), dy / (y1 - y0)), k = Math.min(1, 0.03 / size);
    if (size < 1e-9 || (g[0] === 0 && g[1] === 0)) {
      const inside = point[0] >= x0 && point[0] <= x1 && point[1] >= y0 && point[1] <= y1;
      const kind = middle - radius > 0 ? "minimum" : middle + radius < 0 ? "maximum" : "saddle";
      return inside ? { at: [...point], kind, eigenvalues: [middle - radius, middle + radius] } : undefined;
    }
    point[0] -= k * dx;
    point[1] -= k * dy;
  }
  return undefined;
}

/**
 * The rate above which a rule leaves a minimum of this curvature: the matrix of its step has an eigenvalue beyond 1.
 * Undefined for a rule whose step is not linear in its state and the gradient: there is no such number.
 */
function rateLimit({ step, initial: { length: n } }, hyper, index, curvature) {
  const h = Float64Array.from(hyper), g = new Float64Array(2), tiny = 1e-6;
  const grad = (point) => { point[0] *= curvature; point[1] *= curvature; };
  const apply = (k, scale) => { // one step from a state that is zero but in place k
    const state = new Float64Array(n).map((_, i) => (i === k || k === n ? scale : 0));
    step(1000, state, h, grad, g);
    return state.map((v) => v / tiny);
  };
  const matrix = (alpha) => {
    h[index] = alpha;
    return Array.from({ length: n }, (_, k) => apply(k, tiny)); // column k
  };
  const columns = matrix(0.5 / curvature), sum = (i) => columns.reduce((total, column) => total + column[i], 0);
  if (!apply(n, 2 * tiny).every((v, i) => Math.abs(v - 2 * sum(i)) < 1e-6)) return undefined;
  const grows = (alpha) => {
    let m = Float64Array.from(matrix(alpha).flatMap((column) => [...column])), size = 0;
    for (let k = 0; k < 20; k++) { // squared again and again; its size as a logarithm
      const square = new Float64Array(n * n);
      let largest = 0;
      for (let i = 0; i < n * n; i++) {
        const row = i % n, column = i - row;
        for (let l = 0; l < n; l++) square[i] += m[row + l * n] * m[column + l];
        largest = Math.max(largest, Math.abs(square[i]));
      }
      for (let i = 0; i < n * n; i++) m[i] = square[i] / largest;
      size = 2 * size + Math.log(largest);
    }
    return !(size < 2 ** 20 * 1e-9);
  };
  let [low, high] = [0, 1e5 / curvature];
  if (!grows(high)) return undefined;
  while (high - low > 1e-7 * high) {
    const middle = (low + high) / 2;
    if (grows(middle)) high = middle; else low = middle;
  }
  return high;
}

const listed = (items) => items.join(", ").replace(/, ([^,]*)$/, " and $1");

/** The outcome in words. `runs`: those that are shown; `step`: the step that is looked at; losses are told above `base`. */
function words(runs, step, base, target) {
  if (!runs.length) return "No rule is switched on.";
  const texts = [], alive = runs.filter(({ run }) => step < run.end);
  alive.sort((a, b) => a.run.losses[step] - b.run.losses[step]);
  const reports = alive.map(({ label, run, outside }) =>
    `${show(run.losses[step] - base)} for ${label}${outside(step) ? " (outside the map)" : ""}`);
  const when = step === 0 ? "at the start" : `after ${step} ${step === 1 ? "step" : "steps"}`;
  if (alive.length) texts.push(`${when} the loss ${base ? "above its minimum " : ""}is ${listed(reports)}`);
  for (const { label, run } of runs) {
    if (step >= run.end) texts.push(`${label} diverged: the numbers stop being finite in step ${run.end}`);
  }
  for (const place of new Set(alive.map(({ near }) => near(step)).filter(Boolean))) {
    texts.push(`at the ${place}: ${listed(alive.filter(({ near }) => near(step) === place).map(({ label }) => label))}`);
  }
  for (const { label, limit, rate } of runs) {
    if (rate > limit) texts.push(`the rate of ${label}, ${show(rate)}, is above its stability limit ${show(limit)}`);
  }
  if (target) {
    const cost = ({ run, evaluations }) => evaluations * run.losses.findIndex((loss) => loss - base <= target[0]);
    const reached = runs.filter((r) => cost(r) >= 0 && cost(r) <= target[1]).map((r) => `${r.label} after ${cost(r)}`);
    texts.push(`target: loss ${base ? "above its minimum " : ""}${show(target[0])} within ${target[1]} gradient evaluations, ${
      reached.length ? `reached by ${listed(reached)}` : "not reached"}`);
  }
  return sentences(texts);
}

/** From the state of the figure to its numbers: `now.runs`, `now.marks` ... `update` computes what changed. */
function engine(spec, code, get) {
  const all = Int32Array.from({ length: spec.points }, (_, i) => i), [[x0, x1], [y0, y1]] = spec.box;
  const resolve = (ref) => {
    if (typeof ref === "number") return ref;
    if (typeof ref === "string") return get(ref);
    if (!Array.isArray(ref)) {
      const settings = ref.settings.map(resolve);
      return (t) => code.schedules[ref.schedule](t, settings);
    }
    const [factor, inner] = [ref[0], resolve(ref[1])];
    return typeof inner === "function" ? (t) => factor * inner(t) : factor * inner;
  };
  const now = { marks: [], runs: [], drawn: null };
  now.value = (point, rows = all) => code.value(point, now.parameters, now.columns, rows);
  now.gradient = (g, rows = all) => code.gradient(g, now.parameters, now.columns, rows, g);
  const hessian = (point, h) => code.hessian(point, now.parameters, now.columns, all, h);
  /** The data points of the batch that follows step `t`; all of them where there are no batches. */
  now.rows = (t) => (now.drawn ? now.drawn[t] : all);

  const mark = ({ label, at, kind }, i) => {
    if (kind === "point") return { label, at, kind };
    const found = critical(now.marks[i]?.at ?? at, spec.box, now.gradient, hessian);
    return found?.kind === kind ? { label, loss: now.value(found.at), ...found } : undefined;
  };
  const near = (x, y) => now.marks.find((mark) => mark?.label
    && Math.hypot((x - mark.at[0]) / (x1 - x0), (y - mark.at[1]) / (y1 - y0)) < 0.012)?.label;
  const limits = []; // of every rule, with what it was computed from: a slider for the rate does not change it
  const limitOf = (i, hyper, curvature) => {
    const { alpha } = spec.rules[i], key = String([curvature, ...hyper.map((h, k) => (k === alpha ? 0 : h))]);
    if (limits[i]?.key !== key) limits[i] = { key, value: rateLimit(code.rules[i], hyper, alpha, curvature) };
    return limits[i].value;
  };
  const follow = (rule, i) => {
    if (get("hidden").includes(rule.label)) return null;
    const hyper = rule.hyper.map(resolve), rate = hyper[rule.alpha];
    const gradient = now.drawn ? (g, t) => now.gradient(g, now.drawn[t - 1]) : (g) => now.gradient(g);
    const run = descend(code.rules[i], hyper, get("start"), spec.steps, gradient, now.value, !now.drawn);
    const curvature = now.marks[spec.limit]?.eigenvalues[1];
    const fixed = curvature > 0 && hyper.every((h) => typeof h === "number") && rule.alpha >= 0;
    const limit = fixed ? limitOf(i, hyper, curvature) : undefined;
    const outside = (t) => run.xs[t] < x0 || run.xs[t] > x1 || run.ys[t] < y0 || run.ys[t] > y1;
    return { ...rule, run, rate, limit, outside, near: (t) => near(run.xs[t], run.ys[t]) };
  };
  now.update = (dirty) => {
    if (dirty.has("loss")) {
      now.columns = get("data").map((column) => Float64Array.from(column));
      now.parameters = spec.parameters.map(resolve);
      const moved = ["data", ...spec.parameters].some((name) => String(get(name)) !== String(spec.state[name]));
      if (!moved) now.marks = []; // each is looked for where it was last, and here where it was at first
      now.marks = spec.marks.map(mark);
    }
    if (dirty.has("loss") || dirty.has("runs")) {
      const size = resolve(spec.batch);
      const whole = size === spec.points && !spec.replace;
      now.drawn = whole ? null : batches(spec.points, size, spec.steps + 1, resolve(spec.seed), spec.replace);
      now.runs = spec.rules.map(follow);
    }
  };
  return now;
}

const COLORS = 5; // of the map, from low to high, in the stylesheet
const LINES = [0.02, 0.08, 0.17, 0.27, 0.37, 0.48, 0.59, 0.7, 0.8, 0.9]; // shares of the map below each line
const GLYPHS = {
  minimum: "M0 5L5 -4H-5Z", maximum: "M0 -5L5 4H-5Z", saddle: "M-4 -4L4 4M4 -4L-4 4", point: "M-5 0H5M0 -5V5",
};

/** Color a canvas by rank, so that every part of the range shows. */
function paint(canvas, z, nx, ny, stops) {
  const last = 40, knots = quantiles(z, Array.from({ length: last + 1 }, (_, i) => i / last));
  const image = new ImageData(nx, ny);
  for (let j = 0, k = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++, k++) {
      if (!Number.isFinite(z[k])) continue;
      let low = 0, high = last;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (knots[middle] <= z[k]) low = middle; else high = middle;
      }
      const rank = (low + clamp((z[k] - knots[low]) / (knots[high] - knots[low] || 1), 0, 1)) / last;
      const at = rank * (COLORS - 1), n = Math.min(COLORS - 2, Math.floor(at)), o = 4 * ((ny - 1 - j) * nx + i);
      for (let c = 0; c < 3; c++) image.data[o + c] = stops[n][c] + (stops[n + 1][c] - stops[n][c]) * (at - n);
      image.data[o + 3] = 255;
    }
  }
  set(canvas, { width: nx, height: ny });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A name beside a place, to its right or left. */
function nameAt(x, y, left, gap, text) {
  const anchor = left ? "end" : "start";
  return svg("text", { class: "fm-name", x: x + (left ? -gap : gap), y: y + 4, "text-anchor": anchor }, text);
}

/** A number with as many decimals as moving by a thousandth of the span needs. */
const handy = (v, span) => Number(v.toFixed(Math.max(0, 3 - Math.ceil(Math.log10(span)))));

/** The loss from above, with the paths, the critical points and the start. */
function mapView(life, ui, spec, now, get, put) {
  const [xlabel, title] = spec.labels, [[x0, x1], [y0, y1]] = spec.box, spans = [x1 - x0, y1 - y0];
  const p = panel(life, { title, xlabel, name: `loss over ${listed(spec.labels)}`, className: "fm-map" });
  const canvas = html("canvas", { class: "fm-canvas", "aria-hidden": "true" });
  p.box.prepend(canvas);
  const lines = p.path("fm-contours"), arrow = p.path("fm-arrow");
  const nodes = spec.rules.map(({ color }) => ({ future: p.path("fm-future", color) }));
  for (const name of ["halo", "done", "beads"]) { // one layer above the other
    nodes.forEach((node, i) => { node[name] = p.path(`fm-${name}`, spec.rules[i].color); });
  }
  const glyphs = p.over.appendChild(svg("g", {}));
  nodes.forEach((node, i) => { node.head = p.dot(spec.rules[i].color); });
  const names = p.over.appendChild(svg("g", {}));
  const handle = svg("circle", { class: "fm-hit", r: 14, tabindex: 0, role: "slider", "aria-label": "start",
    "aria-valuemin": x0, "aria-valuemax": x1 });
  const ring = svg("circle", { class: "fm-ring", r: 7.5 });
  const start = p.over.appendChild(svg("g", { class: "fm-start" }, handle, ring, svg("circle", { r: 2 })));

  const place = ([x, y]) => put("start", [handy(clamp(x, x0, x1), spans[0]), handy(clamp(y, y0, y1), spans[1])]);
  let finger = false; // it scrolls the page, unless it drags the start; where it taps, the start goes
  const pick = (event) => {
    finger = event.pointerType === "touch";
    return event.target === handle || (!finger && p.hits(event));
  };
  movable(life, p, { handle, pick, to: place,
    nudge: (u, v) => place([get("start")[0] + u * spans[0], get("start")[1] + v * spans[1]]) });
  life.on(p.plot, "click", (event) => finger && p.hits(event) && place(p.at(event)));

  const look = (event) => {
    if (!p.hits(event)) return leave();
    const point = p.at(event), g = Float64Array.from(point), loss = now.gradient(g);
    p.readout.textContent = `loss ${show(loss)}, gradient (${show(g[0], 2)}, ${show(g[1], 2)})`;
    const across = (-g[0] / spans[0]) * p.w, down = (g[1] / spans[1]) * p.h, size = Math.hypot(across, down);
    const [u, v] = [(22 * across) / size, (22 * down) / size], [X, Y] = [p.x(point[0]), p.y(point[1])];
    const head = (s) => `M${X + u} ${Y + v}l${-0.3 * u - s * 0.18 * v} ${-0.3 * v + s * 0.18 * u}`;
    set(arrow, { d: size > 0 ? `M${X} ${Y}l${u} ${v}${head(1)}${head(-1)}` : "" });
  };
  const leave = () => {
    const batch = spec.surface === "batch" && now.drawn;
    p.readout.textContent = `${batch ? `batch of step ${get("step") + 1}` : "drag the start"}; darker is lower`;
    set(arrow, { d: "" });
  };
  life.on(p.plot, "pointermove", look);
  life.on(p.plot, "pointerleave", leave);

  let slow = 0, stops;
  const surface = (nx) => {
    const begun = performance.now(), ny = Math.max(2, Math.round((nx * p.h) / p.w)), point = new Float64Array(2);
    const rows = spec.surface === "batch" ? now.rows(get("step")) : undefined;
    const z = sample((x, y) => {
      point[0] = x;
      point[1] = y;
      return now.value(point, rows);
    }, spec.box, nx, ny);
    stops ??= Array.from({ length: COLORS }, (_, i) => color(ui.root, `--fm-map-${i}`));
    paint(canvas, z, nx, ny, stops);
    set(canvas, { style: `left:${p.left}px;top:${p.top}px;width:${p.w}px;height:${p.h}px` });
    const X = (v) => ((v / (nx - 1)) * p.w).toFixed(1), Y = (v) => ((1 - v / (ny - 1)) * p.h).toFixed(1);
    let d = "";
    for (const level of new Set(quantiles(z, LINES))) {
      for (const line of joined(contours(z, nx, ny, level))) {
        for (let i = 0; i < line.length; i += 2) d += `${i ? "L" : "M"}${X(line[i])} ${Y(line[i + 1])}`;
      }
    }
    set(lines, { d });
    return performance.now() - begun;
  };
  const fine = life.later(90, () => { slow = surface(150); });

  const ratio = spans[0] / spans[1];
  return {
    panel: p,
    frame() { // one unit is as long across as up, so that the gradient stands at right angles to the lines
      p.height((width) => width / (ratio > 0.8 && ratio < 2 ? ratio : 1.15));
      p.frame({ x: spec.box[0], y: spec.box[1] });
    },
    repaint() { stops = undefined; },
    surface() {
      leave();
      if (slow > 8) { // a coarse one now, the fine one when the hand rests
        surface(56);
        fine();
      } else slow = surface(150);
    },
    marks() {
      const known = now.marks.filter(Boolean).map((mark) => ({ ...mark, X: p.x(mark.at[0]), Y: p.y(mark.at[1]) }));
      const glyph = ({ kind, X, Y }) => svg("path",
        { class: `fm-glyph fm-${kind}`, d: GLYPHS[kind], transform: `translate(${X} ${Y})` }, svg("title", {}, kind));
      glyphs.replaceChildren(...known.map(glyph));
      const named = known.filter(({ label }) => label);
      names.replaceChildren(...named.map(({ label, X, Y }) => nameAt(X, Y, X > p.w * 0.7, 9, label)));
    },
    runs() {
      nodes.forEach((node, i) => {
        const run = now.runs[i]?.run;
        node.at = run ? [run.xs.map(p.x), run.ys.map(p.y)] : [[], []];
        set(node.future, { d: (node.whole = trace(...node.at)) });
      });
      const point = get("start"), X = p.x(point[0]), Y = p.y(point[1]);
      const first = nodes.find(({ at }) => at[0].length)?.at[0], right = first?.[Math.min(6, spec.steps)] >= X;
      const left = X > p.w - 50 || (right && X > 50); // the name stands where the path does not
      set(start, { transform: `translate(${X} ${Y})` });
      start.children[3]?.remove();
      start.append(nameAt(0, 0, left, 11, "start"));
      set(handle, { "aria-valuenow": point[0], "aria-valuetext":
        `${spec.labels[0]} ${show(point[0])}, ${spec.labels[1]} ${show(point[1])}, loss ${show(now.value(point))}` });
    },
    step(step) {
      for (const { at, whole, halo, done, beads, head } of nodes) {
        const d = step === spec.steps ? whole : trace(...at, 0, step + 1);
        set(halo, { d });
        set(done, { d });
        set(beads, { d: d && spec.steps <= 200 ? `${d.replaceAll("L", "h0M")}h0` : "" });
        p.put(head, at[0][step], at[1][step]);
      }
    },
  };
}

/** What the axes of the data show: a little more than the data, more of it above and below. */
function domain(column, i) {
  const lo = Math.min(...column), hi = Math.max(...column), pad = (hi - lo) * (i ? 0.2 : 0.03);
  return [lo - pad, hi + pad];
}

/** The model over the data, at the parameters of the step that is looked at; the data points can be moved. */
function fitView(life, spec, code, now, get, put) {
  const p = panel(life, { title: "", name: "model and data", xlabel: spec.axis });
  const [across, up] = spec.state.data.map(domain);
  const dots = spec.state.data[0].map(() => p.over.appendChild(svg("circle", { class: "fm-point", r: 3 })));
  const curves = spec.rules.map(({ color }) => p.path("fm-done", color));
  const handle = p.over.appendChild(svg("circle", { class: "fm-hit", r: 12, tabindex: 0, role: "slider",
    "aria-valuemin": up[0], "aria-valuemax": up[1] }));
  let chosen = 0;
  const move = (x, y) => {
    const data = get("data").map((column) => [...column]);
    [[x, across], [y, up]].forEach(([v, [lo, hi]], i) => { data[i][chosen] = handy(clamp(v, lo, hi), hi - lo); });
    put("data", data);
  };
  const pick = (event) => {
    const [x, y] = p.at(event), [xs, ys] = get("data");
    const distance = (i) => Math.hypot(p.x(xs[i]) - p.x(x), p.y(ys[i]) - p.y(y));
    const best = dots.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0);
    if (distance(best) > (event.pointerType === "touch" ? 24 : 12)) return false;
    chosen = best;
    return true;
  };
  const nudge = (u, v) => {
    const [xs, ys] = get("data");
    move(xs[chosen] + u * (across[1] - across[0]), ys[chosen] + v * (up[1] - up[0]));
  };
  movable(life, p, { handle, pick, nudge, to: ([x, y]) => move(x, y) });
  life.on(handle, "keydown", (event) => {
    const turn = { PageUp: 1, PageDown: -1 }[event.key];
    if (!turn) return;
    event.preventDefault();
    chosen = (chosen + turn + spec.points) % spec.points;
    draw.step(get("step"));
  });
  const xs = Float64Array.from({ length: 161 }, (_, k) => across[0] + ((across[1] - across[0]) * k) / 160);
  const draw = {
    panel: p,
    frame() { p.frame({ x: across, y: up }); },
    step(step) {
      p.title(`model at step ${step}`);
      const [dataX, dataY] = get("data"), batch = now.drawn && new Set(now.drawn[step]);
      dots.forEach((dot, i) => set(dot, { cx: p.x(dataX[i]), cy: p.y(dataY[i]),
        class: `fm-point ${batch && !batch.has(i) ? "fm-out" : ""}` }));
      set(handle, { cx: p.x(dataX[chosen]), cy: p.y(dataY[chosen]), "aria-valuenow": dataY[chosen],
        "aria-label": `data point ${chosen + 1} of ${spec.points} (Page Up, Page Down: another)`,
        "aria-valuetext": `x ${show(dataX[chosen])}, y ${show(dataY[chosen])}` });
      curves.forEach((curve, i) => {
        const run = now.runs[i]?.run, phi = run && [run.xs[step], run.ys[step]];
        set(curve, { d: run ? trace(xs.map(p.x), xs.map((x) => p.y(code.model(x, phi, [])))) : "" });
      });
    },
  };
  return draw;
}

/**
 * A quantity of every run against the step: `series(r)` gives its values, from step 0. A click looks at a step;
 * where there are `knots` (a slider each, and its step), the hand draws: the knot nearest to it follows.
 */
function stepView(life, spec, now, get, put, { title, name, log, series, range, goal, knots = [] }) {
  const p = panel(life, { title, name, xlabel: "step" });
  const aim = p.path("fm-goal"), cursor = p.path("fm-cursor");
  const aimed = p.over.appendChild(nameAt(0, 0, false, 0, goal ? "target" : ""));
  const nodes = spec.rules.map(({ color }) =>
    ({ future: p.path("fm-future", color), done: p.path("fm-done", color), head: p.dot(color) }));
  const handles = knots.map((knot) => ({ ...knot, valueAt: snap(knot.slider), hit: svg("circle", { class: "fm-hit", r: 13 }),
    ring: svg("circle", { class: "fm-ring", r: 5.5 }) }));
  for (const { hit, ring } of handles) p.over.appendChild(svg("g", { class: "fm-start" }, hit, ring));
  const distance = (step) => (knot) => Math.abs(knot.at - step);
  const draw = ([step, v]) => {
    const far = handles.map(distance(step)), { slider, valueAt } = handles[far.indexOf(Math.min(...far))];
    put(slider.name, clamp(valueAt(v), slider.lo, slider.hi));
  };
  movable(life, p, knots.length
    ? { pick: (event) => p.hits(event) && (event.pointerType !== "touch" || handles.some(({ hit }) => hit === event.target)), to: draw }
    : { pick: (event) => p.hits(event), to: ([step]) => put("step", Math.round(step)) });
  return {
    panel: p,
    runs() {
      p.frame({ x: [0, spec.steps], y: range(now.runs.filter(Boolean).map(series)), log });
      for (const { at, slider, hit, ring } of handles) {
        for (const circle of [hit, ring]) set(circle, { cx: p.x(at), cy: p.y(get(slider.name)) });
      }
      nodes.forEach((node, i) => {
        const values = now.runs[i] && series(now.runs[i]);
        node.at = values ? [values.map((_, t) => p.x(t)), values.map(p.y)] : [[], []];
        set(node.future, { d: (node.whole = trace(...node.at)) });
      });
      if (!goal) return;
      const [X, Y] = [p.x(Math.min(goal[1], spec.steps)), p.y(goal[0])];
      set(aim, { d: `M0 ${Y}H${X}v-6v12` });
      set(aimed, { x: 5, y: Y > 24 ? Y - 6 : Y + 15 });
    },
    step(step) {
      set(cursor, { d: `M${p.x(step)} 0V${p.h}` });
      for (const { at, whole, done, head } of nodes) {
        set(done, { d: step === spec.steps ? whole : trace(...at, 0, step + 1) });
        p.put(head, at[0][step], at[1][step]);
      }
    },
  };
}

/** The range of a loss axis: what the runs reach, but not far above where they start. */
function lossRange(lists, log, also) {
  const values = lists.flatMap((list) => [...list]).filter((v) => !Number.isNaN(v) && (!log || v > 0)).concat(also);
  const first = Math.max(...lists.map((list) => list[0])), cap = log ? 1000 * first : first + 3 * Math.abs(first);
  const lo = Math.min(...values), hi = Math.min(cap, Math.max(...values));
  if (!(lo < hi)) return log ? [0.1, 1] : [0, 1];
  return log ? [Math.max(lo / 1.4, hi * 1e-12), hi * 1.4] : [lo - 0.05 * (hi - lo), hi + 0.05 * (hi - lo)];
}

/** The numbers behind the picture, as tables. */
function numbers(spec, now, step) {
  const some = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, step, spec.steps].filter((t) => t <= spec.steps);
  const rows = [...new Set(some)].sort((a, b) => a - b), runs = now.runs.filter(Boolean);
  const cell = ({ run }, t) => `${show(run.losses[t])} at (${show(run.xs[t])}, ${show(run.ys[t])})`;
  const list = [table(`Loss, and where in (${spec.labels.join(", ")})`, ["step", ...runs.map(({ label }) => label)],
    rows.map((t) => [t, ...runs.map((r) => cell(r, t))]))];
  const marks = now.marks.filter((mark) => mark?.eigenvalues).map(({ kind, label, at, loss, eigenvalues }) =>
    [label ? `${kind} (${label})` : kind, ...[...at, loss, ...eigenvalues].map((v) => show(v))]);
  const head = ["", ...spec.labels, "loss", "smallest curvature", "largest curvature"];
  if (marks.length) list.push(table("Critical points", head, marks));
  const limits = runs.filter(({ limit }) => limit !== undefined).map(({ label, limit }) => [label, show(limit)]);
  if (limits.length) list.push(table("Stability limits of the rate", ["", "limit"], limits));
  return list;
}

/** The stability limits that a slider drives, for the rate itself or a multiple of it. */
function limitsOn(name, runs) {
  return runs.filter((r) => r?.limit !== undefined).flatMap(({ hyper, alpha, limit, color }) => {
    const [factor, driver] = Array.isArray(hyper[alpha]) ? hyper[alpha] : [1, hyper[alpha]];
    return driver === name ? [{ at: limit / factor, text: `limit ${show(limit / factor)}`, color }] : [];
  });
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = await load(spec.code), life = lifecycle();
  const get = (name) => model.get(name);
  const put = (name, value) => { model.set(name, value); model.save_changes(); };
  const now = engine(spec, code, get), ui = shell(el, spec, life);

  const base = spec.log ? spec.minimum : 0, target = spec.target && [spec.target[0] - base, spec.target[1]];
  const map = mapView(life, ui, spec, now, get, put);
  const fit = code.model && fitView(life, spec, code, now, get, put);
  const loss = stepView(life, spec, now, get, put, { log: spec.log, goal: target, name: "loss against step",
    title: spec.log ? `loss${base ? " above its minimum" : ""} (log scale)` : "loss",
    series: ({ run }) => run.losses.map((v) => v - base),
    range: (lists) => lossRange(lists, spec.log, target ? [target[0]] : []) });
  const knots = spec.knots.map(([name, at]) => ({ at, slider: spec.sliders.find((options) => options.name === name) }));
  const rate = spec.rate && stepView(life, spec, now, get, put, {
    title: `learning rate α${knots.length ? ", drag to draw" : ""}`, name: "learning rate against step", knots,
    series: ({ run, alpha }) => run.rates[alpha] ?? run.losses.map(() => NaN),
    range: (lists) => [0, 1.08 * Math.max(1e-9, ...knots.map(({ slider }) => slider.hi / 1.08),
      ...lists.flatMap((list) => [...list].filter(Number.isFinite)))] });
  const views = [map, fit, loss, rate].filter(Boolean), roots = views.map(({ panel }) => panel.root);
  if (views.length > 3) rate.panel.root.classList.add("fm-below"); // three beside the map would be too low to read
  ui.panels.append(roots[0], html("div", { class: "fm-side" }, ...roots.slice(1, 3)), ...roots.slice(3));

  const dirty = new Set(["loss", "surface", "size"]);
  const tables = ui.tables(() => numbers(spec, now, get("step")));
  const draw = () => {
    const step = clamp(get("step"), 0, spec.steps);
    now.update(dirty);
    const fresh = dirty.has("loss") || dirty.has("size"), moved = fresh || dirty.has("runs");
    if (dirty.has("size")) [map, fit].forEach((view) => view?.frame());
    if (fresh || dirty.has("surface")) map.surface();
    if (fresh) map.marks();
    if (moved) {
      views.forEach((view) => view.runs?.());
      for (const { name, control } of sliders) {
        control.mark(limitsOn(name, now.runs));
        control.input.disabled = name === spec.seed && !now.drawn; // without batches there is nothing to draw
      }
    }
    views.forEach((view) => view.step(step));
    ui.say(words(now.runs.filter(Boolean), step, base, target));
    switches((i) => !get("hidden").includes(spec.rules[i].label));
    tables();
    dirty.clear();
  };
  const request = life.frame(draw);
  const touch = (...what) => {
    what.forEach((kind) => dirty.add(kind));
    request();
  };

  // --- controls
  const toggle = (i) => put("hidden", toggled(get("hidden"), spec.rules[i].label));
  const switches = legend(life, ui.legend, spec.rules, toggle);
  const sliders = spec.sliders.map((options) => ({ name: options.name, control: slider(life, model, options) }));
  ui.controls.append(...sliders.map(({ control }) => control.root));
  const scrubber = { name: "step", label: "step", lo: 0, hi: spec.steps, step: 1, text: (v) => `${v} of ${spec.steps}` };
  ui.timeline.append(player(life, model, "step", spec.steps), slider(life, model, scrubber).root);

  const batchy = spec.surface === "batch" ? ["surface"] : [];
  const effect = { start: ["runs"], hidden: ["runs"], step: batchy, data: ["loss"] };
  for (const { name } of sliders) effect[name] = spec.parameters.includes(name) ? ["loss"] : ["runs", ...batchy];
  life.listen(model, Object.keys(effect), (name) => touch(...effect[name]));
  tools(life, model, ui, spec, fields(spec));
  draw();
  let width = ui.panels.clientWidth;
  life.resized(ui.panels, () => {
    if (width !== (width = ui.panels.clientWidth)) touch("size");
  });
  life.themed(ui.root, () => { map.repaint(); touch("surface"); });
  return () => life.end();
}

/** How each part of the state is written in an address, and read from it. */
function fields(spec) {
  const { points, state } = spec, step = { name: "step", lo: 0, hi: spec.steps, whole: true };
  const list = fieldsOf([...spec.sliders, step], spec.rules.map(({ label }) => label));
  list.start = { write: (start) => start.join(), read: (text) => parse(text, spec.box) };
  if (spec.points) list.data = { // index, x, y of every point that was moved
    write: (data) => state.data[0].flatMap((_, i) =>
      (data.every((column, c) => column[i] === state.data[c][i]) ? [] : [i, ...data.map((column) => column[i])])).join(),
    read: (text) => {
      const data = state.data.map((column) => [...column]), ranges = [[0, points - 1, true], ...data.map(domain)];
      const values = parse(text, text.split(",").map((_, k) => ranges[k % 3]));
      if (!values || values.length % 3) return undefined;
      values.forEach((v, k) => { if (k % 3) data[(k % 3) - 1][values[k - (k % 3)]] = v; });
      return data;
    },
  };
  return list;
}

export default { render };
