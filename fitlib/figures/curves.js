// Curves: traced functions of one variable. First numbers, then drawing, then wiring.

/** Where the curves are computed: whole numbers where x counts steps, else evenly on the axis. */
function abscissas({ x: [lo, hi], logX, whole }) {
  if (whole) {
    const stride = Math.ceil((hi - lo) / 2000);
    return Float64Array.from({ length: Math.floor((hi - lo) / stride) + 1 }, (_, i) => lo + i * stride);
  }
  const at = (u) => (logX ? lo * (hi / lo) ** u : lo + (hi - lo) * u);
  return Float64Array.from({ length: 401 }, (_, i) => at(i / 400));
}

/** An axis that holds these values, to round numbers, so that it rests while a slider moves a little. */
function rangeOf(values, log) {
  const seen = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  let lo = Math.min(...seen), hi = Math.max(...seen);
  if (!seen.length) return log ? [0.1, 1] : [0, 1];
  if (log) return [Math.max(lo / 1.5, hi * 1e-12), hi * 1.5];
  if (lo > 0 && lo < 0.5 * hi) lo = 0;
  if (hi < 0 && hi > 0.5 * lo) hi = 0;
  if (lo === hi) [lo, hi] = [lo - (Math.abs(lo) || 1) / 2, hi + (Math.abs(hi) || 1) / 2];
  const [a, b] = ticks(0, hi - lo, 10), step = b - a, pad = 0.01 * (hi - lo);
  return [lo === 0 ? 0 : Math.floor((lo - pad) / step) * step, hi === 0 ? 0 : Math.ceil((hi + pad) / step) * step];
}

/** From the state of the figure to its numbers: what every panel shows, without what is switched off. */
function evaluate(spec, code, get) {
  const resolve = (ref) => (typeof ref === "string" ? get(ref) : ref), xs = abscissas(spec);
  const seen = ({ item }) => !get("hidden").includes(spec.items[item].label);
  const recorded = (list) => list.filter(seen).map(({ item, xs, ys }) =>
    ({ ...spec.items[item], xs, ys, at: (x) => nearest(xs, ys, x) }));
  return spec.panels.map((panel) => {
    const curves = panel.curves.filter(seen).map(({ item, call, refs }) => {
      const settings = refs.map(resolve), at = (x) => code.functions[call](x, settings);
      return { ...spec.items[item], at, xs, ys: xs.map(at) };
    });
    const marks = panel.marks.map((mark) => ({ ...mark, traced: mark.refs !== undefined,
      value: mark.refs ? code.functions[mark.call](mark.refs.map(resolve)) : mark.value }));
    return { ...panel, curves, marks, lines: recorded(panel.lines), data: recorded(panel.data) };
  });
}

/** The recorded value whose x is nearest. */
function nearest(xs, ys, x) {
  return ys[xs.reduce((best, other, i) => (Math.abs(other - x) < Math.abs(xs[best] - x) ? i : best), 0)];
}

/** The outcome in words: every curve at the probe, limits that are passed, marks that the sliders move. */
function words(spec, panels, x) {
  const texts = [];
  if (x !== undefined) { // a panel of several curves has its own sentence
    const read = ({ curves, lines }) => curves.concat(lines).map(({ label, at }) => `${label} ${show(at(x))}`);
    const parts = panels.map((one) => [one.ylabel, read(one)]).filter(([, all]) => all.length)
      .map(([ylabel, all]) => `${panels.length > 1 && all.length > 1 ? `${ylabel}: ` : ""}${all.join("; ")}`);
    if (parts.length) texts.push(`at ${spec.xlabel} = ${show(x, 4)}: ${parts[0]}`, ...parts.slice(1));
  }
  for (const { marks, curves } of panels) {
    for (const { kind, label, value, traced } of marks) {
      const over = kind === "limit" && x !== undefined ? curves.filter(({ at }) => at(x) > value) : [];
      const text = kind === "point" ? `(${value.map((v) => show(v)).join(", ")})` : show(value);
      if (over.length) texts.push(`above the ${label}, ${text}: ${over.map((curve) => curve.label).join(", ")}`);
      else if (traced) texts.push(`${label} = ${text}`);
    }
  }
  return sentences(texts);
}

/** One panel: curves, recorded lines and points, marks, and the probe. `draw(numbers)`, then `look(numbers, x)`. */
function plotView(life, spec, initial, last) {
  const p = panel(life, { title: initial.ylabel, name: initial.name, xlabel: last ? spec.xlabel : "", left: 46 });
  const layers = ["lines", "curves", "data"].map((name) => [name, p.inside.appendChild(svg("g", {}))]);
  const cursor = p.path("fm-cursor"), signs = p.over.appendChild(svg("g", {}));
  const dots = spec.probe ? spec.items.map(({ color }) => p.dot(color)) : [];
  const line = (name, color, d) => svg("path", { class: name, style: `--fm-c:${color}`, d });

  const named = (label, x, y, anchor) => svg("text", { class: "fm-name", x, y, "text-anchor": anchor }, label);
  const sign = ({ label, kind, value }) => {
    const [x, y] = kind === "point" ? value : [value, value], [X, Y] = [p.x(x), p.y(y)], right = X > p.w * 0.7;
    const inside = { x: X >= 0 && X <= p.w, y: Y >= 0 && Y <= p.h };
    if (kind === "point") {
      const target = svg("path", { class: "fm-target", d: TARGET, transform: `translate(${X} ${Y})` });
      return inside.x && inside.y ? [target, named(label, X + (right ? -12 : 12), Y + 4, right ? "end" : "start")] : [];
    }
    if (kind === "x") {
      const name = named(label, X + (right ? -6 : 6), 14, right ? "end" : "start");
      return inside.x ? [line("fm-goal", "", `M${X} 0V${p.h}`), name] : [];
    }
    return inside.y ? [line("fm-goal", "", `M0 ${Y}H${p.w}`), named(label, p.w - 6, Y + (Y < 20 ? 15 : -6), "end")] : [];
  };
  return {
    panel: p,
    draw(now) {
      const all = [...now.curves, ...now.lines, ...now.data].flatMap(({ ys }) => [...ys]);
      const also = now.marks.flatMap(({ kind, value }) => (kind === "x" ? [] : [[value].flat().at(-1)]));
      p.frame({ x: spec.x, logX: spec.logX, y: now.y ?? rangeOf(all.concat(also), now.log), log: now.log });
      const apart = spec.whole && p.x(now.curves[0]?.xs[1]) - p.x(now.curves[0]?.xs[0]) > 6;
      const draw = {
        lines: ({ xs, ys, color }) => [line("fm-done fm-recorded", color, trace(xs.map(p.x), ys.map(p.y)))],
        curves: ({ xs, ys, color }) => [line(apart ? "fm-future" : "fm-done", color, trace(xs.map(p.x), ys.map(p.y))),
          ...(apart ? [line("fm-beads", color, beads(xs.map(p.x), ys.map(p.y)))] : [])],
        data: ({ xs, ys, color }) => [line("fm-data", color, beads(xs.map(p.x), ys.map(p.y)))],
      };
      for (const [name, layer] of layers) layer.replaceChildren(...now[name].flatMap(draw[name]));
      signs.replaceChildren(...now.marks.flatMap(sign));
    },
    look(now, x) {
      set(cursor, { d: `M${p.x(x)} 0V${p.h}` });
      const shown = now.curves.concat(now.lines);
      spec.items.forEach(({ label }, i) => {
        const curve = shown.find((other) => other.label === label);
        p.put(dots[i], p.x(x), curve ? p.y(curve.at(x)) : NaN);
      });
    },
  };
}

/** The numbers behind the picture: a table for every panel. */
function numbers(spec, panels, x) {
  const [lo, hi] = spec.x, rows = spec.logX ? logTicks(lo, hi, 9) : ticks(lo, hi, 8);
  const whole = (v) => (spec.whole ? Math.max(lo, Math.round(v)) : v);
  const all = [...new Set([lo, hi, ...rows.map(whole), ...(x === undefined ? [] : [x])])].sort((a, b) => a - b);
  return panels.map(({ curves, lines, ylabel }) => {
    const read = curves.concat(lines), head = [spec.xlabel, ...read.map(({ label }) => label)];
    return table(ylabel, head, all.map((v) => [show(v, 4), ...read.map(({ at }) => show(at(v), 4))]));
  });
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = await load(spec.code), life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name);
  const put = (name, value) => { model.set(name, value); model.save_changes(); };
  const probe = () => (spec.probe ? get("probe") : undefined);
  const views = spec.panels.map((panel, i) => plotView(life, spec, panel, i === spec.panels.length - 1));
  ui.panels.classList.add("fm-stack");
  ui.panels.append(...views.map(({ panel }) => panel.root));

  let now, stale = true;
  const tables = ui.tables(() => numbers(spec, now, probe()));
  const draw = () => {
    if (stale) {
      now = evaluate(spec, code, get);
      views.forEach((view, i) => view.draw(now[i]));
    }
    if (spec.probe) views.forEach((view, i) => view.look(now[i], probe()));
    ui.say(words(spec, now, probe()));
    switches((i) => !get("hidden").includes(spec.items[i].label));
    tables();
    stale = false;
  };
  const request = life.frame(draw);
  const again = () => { stale = true; request(); };

  const labels = spec.items.map(({ label }) => label);
  const switches = legend(life, ui.legend, spec.items, (i) => put("hidden", toggled(get("hidden"), labels[i])));
  ui.controls.append(...spec.sliders.map((options) => control(life, model, options).root));
  if (spec.probe) {
    ui.timeline.append(slider(life, model, spec.probe).root);
    const valueAt = snap(spec.probe);
    for (const { panel } of views) movable(life, panel, { pick: (event) => panel.hits(event), to: ([x]) => put("probe", valueAt(x)) });
    life.listen(model, ["probe"], request);
  }
  life.listen(model, ["hidden", ...spec.sliders.map(({ name }) => name)], again);
  tools(life, model, ui, spec, fieldsOf(spec.probe ? [...spec.sliders, spec.probe] : spec.sliders, labels));
  draw();
  life.resized(ui.panels, again);
  return () => life.end();
}

export default { render };
