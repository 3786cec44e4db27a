// Inside: what a rule computes, from a sequence of gradients or down a loss of one parameter.

/** From the state of the figure to its numbers: the gradients, and every named value of every rule that is shown. */
function evaluate(spec, code, get) {
  const read = (refs) => refs.map((ref) => (typeof ref === "string" ? get(ref) : ref)), [alpha] = read([spec.alpha]);
  const chosen = spec.sequences.length > 1 ? get("gradients") : 0, { refs, numbers } = spec.sequences[chosen] ?? {};
  const sequence = code.sequences[chosen], parameters = read(spec.parameters);
  const given = spec.loss ? undefined
    : Float64Array.from({ length: spec.steps }, (_, i) => numbers?.[i] ?? sequence(i + 1, read(refs)));
  const follow = (rule, i) => {
    const make = () => new Float64Array(spec.steps).fill(NaN), columns = code.rules[i].initial.map(make);
    const [gradients, step, start] = [make(), make(), spec.loss ? get("start") : 0], path = [start];
    let done = 0;
    const gradient = (g) => {
      if (given) g[0] = given[done]; else code.gradient(g, parameters, [], [], g);
      gradients[done] = g[0];
    };
    const see = (t, state) => {
      done = t;
      if (t === 0) return true;
      columns.forEach((column, k) => { column[t - 1] = state[k]; });
      step[t - 1] = (path[t - 1] - state[0]) / alpha;
      path.push(state[0]);
      return Number.isFinite(state[0]);
    };
    fold(code.rules[i], Float64Array.from(read(rule.hyper)), [start], spec.steps, gradient, see);
    const values = Object.fromEntries(rule.slots.map((slot, k) => [rule.names[k], columns[slot]]));
    return { ...rule, path, values: { ...values, gradient: gradients, step } };
  };
  const loss = (x) => code.loss([x], parameters, [], []);
  const shown = (_, i) => !get("hidden").includes(spec.rules[i].label);
  return { loss, rules: spec.rules.map((rule, i) => () => follow(rule, i)).filter(shown).map((run) => run()) };
}

/** The outcome in words: what a rule holds after step `t`, and where it is. */
function words(spec, now, t) {
  const reports = now.rules.map(({ label, names, values, path }) => {
    if (!Number.isFinite(values.step[t - 1])) return `${label} has diverged`;
    const held = names.map((name) => `${spec.labels[name]} = ${show(values[name][t - 1])}, `).join("");
    const moved = () => `φ goes from ${show(path[t - 1])} to ${show(path[t])}, loss ${show(now.loss(path[t]))}; `;
    const [slope, step] = [values.gradient, values.step].map((column) => show(column[t - 1]));
    return `${label}: ${spec.loss ? moved() : ""}gradient ${slope}, ${held}step ${step} α`;
  });
  return sentences([`Step ${t}`, ...reports]);
}

/** A quantity against the step: bars for the gradients of a sequence, lines with a bead at each step for the rest. */
function stepView(life, spec, put, { title, names, xlabel }) {
  const p = panel(life, { title, xlabel, left: 46 }), bars = names[0] === "gradient" && !spec.loss;
  const zero = p.path("fm-zero"), lines = p.inside.appendChild(svg("g", {}));
  const cursor = p.path("fm-cursor"), dots = p.over.appendChild(svg("g", {}));
  const colored = (name, color, d, width) =>
    svg("path", { class: name, style: `--fm-c:${color}`, d, "stroke-width": width });
  movable(life, p, { pick: (event) => p.hits(event), to: ([t]) => put("step", clamp(Math.round(t), 1, spec.steps)) });
  let series = [];
  const collect = ({ rules }) => (bars ? rules.slice(0, 1) : rules).flatMap(({ color, values, path }) =>
    names.filter((name) => values[name]).map((name, i) => ({
      color: bars ? "var(--fm-soft)" : color, values: values[name], first: names.length > 1 && i === 0,
      near: spec.loss ? values[name].filter((_, t) => path[t] >= spec.x[0] && path[t] <= spec.x[1]) : values[name],
    })));
  return {
    panel: p,
    draw(now) {
      series = collect(now);
      const all = series.flatMap(({ near }) => [...near].filter(Number.isFinite)).concat(0); // not what has run away
      const lo = Math.min(...all), hi = Math.max(...all), pad = (hi - lo || 1) * 0.08;
      p.frame({ x: [0.5, spec.steps + 0.5], y: [lo < 0 ? lo - pad : 0, hi > 0 ? hi + pad : pad] });
      const X = Array.from({ length: spec.steps }, (_, i) => p.x(i + 1)), apart = p.w / spec.steps > 6;
      set(zero, { d: `M0 ${p.y(0)}H${p.w}` });
      lines.replaceChildren(...series.flatMap(({ color, values, first }) => {
        const Y = Array.from(values, p.y), width = clamp((0.6 * p.w) / spec.steps, 1.5, 9);
        const bar = (x, i) => `M${x.toFixed(1)} ${p.y(0)}V${Y[i].toFixed(1)}`;
        if (bars) return [colored("fm-bars", color, X.map(bar).join(""), width)];
        if (first) return [colored("fm-done fm-recorded", color, trace(X, Y))];
        return apart ? [colored("fm-future", color, trace(X, Y)), colored("fm-beads", color, beads(X, Y))]
          : [colored("fm-done", color, trace(X, Y))];
      }));
    },
    look(now, t) {
      set(cursor, { d: `M${p.x(t)} 0V${p.h}` });
      const seen = series.filter(({ values }) => Number.isFinite(values[t - 1]));
      dots.replaceChildren(...seen.map(({ color, values }) =>
        svg("circle", { class: "fm-dot", r: 4.5, style: `--fm-c:${color}`, cx: p.x(t), cy: p.y(values[t - 1]) })));
      p.readout.textContent = seen.map(({ values }) => show(values[t - 1])).join(" · ");
    },
  };
}

/** The loss over its parameter, with the points of every rule, the slope at the step looked at, and the start. */
function lossView(life, spec, get, put) {
  const p = panel(life, { title: "loss", xlabel: "φ", className: "fm-across", left: 46 }), [lo, hi] = spec.x;
  const curve = p.path("fm-curve"), lines = p.inside.appendChild(svg("g", {}));
  const dots = p.over.appendChild(svg("g", {})), place = snap(spec.start);
  movable(life, p, { pick: (event) => p.hits(event), to: ([x]) => put("start", place(x)) });
  const xs = Float64Array.from({ length: 401 }, (_, i) => lo + ((hi - lo) * i) / 400);
  return {
    panel: p,
    draw(now) {
      const ys = xs.map(now.loss), seen = ys.filter(Number.isFinite), low = Math.min(...seen), high = Math.max(...seen);
      p.frame({ x: [lo, hi], y: [low - 0.06 * (high - low), high] });
      set(curve, { d: trace(xs.map(p.x), ys.map(p.y)) });
    },
    look(now, t) {
      const at = (phi) => [p.x(phi), p.y(now.loss(phi))];
      lines.replaceChildren(...now.rules.flatMap(({ color, path, values }) => {
        const points = path.slice(0, t + 1).map(at), [X, Y] = [0, 1].map((k) => points.map((point) => point[k]));
        const from = path[t - 1], slope = values.gradient[t - 1], reach = 0.12 * (hi - lo);
        const [a, b] = [from - reach, from + reach].map((x) => [p.x(x), p.y(now.loss(from) + slope * (x - from))]);
        const line = (name, d) => svg("path", { class: name, style: `--fm-c:${color}`, d });
        const tangent = line("fm-done fm-recorded", trace([a[0], b[0]], [a[1], b[1]]));
        return [line("fm-future", trace(X, Y)), tangent, line("fm-beads", beads(X, Y))];
      }));
      const [cx, cy] = at(get("start"));
      dots.replaceChildren(svg("circle", { class: "fm-origin", r: 7.5, cx, cy }));
      for (const { path, color } of now.rules) {
        p.put(dots.appendChild(svg("circle", { class: "fm-dot", r: 4.5, style: `--fm-c:${color}` })), ...at(path[t]));
      }
    },
  };
}

function numbers(spec, now) {
  const columns = now.rules.flatMap(({ label, names, values }) =>
    ["gradient", ...names, "step"].map((name) => [`${label}: ${spec.labels[name] ?? name}`, values[name]]));
  return [table("After every step; the step in units of α", ["t", ...columns.map(([name]) => name)],
    Array.from({ length: spec.steps }, (_, i) => [i + 1, ...columns.map(([, values]) => show(values[i]))]))];
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = await load(spec.code), life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name);
  const put = (name, value) => { model.set(name, value); model.save_changes(); };
  const plots = [{ title: "gradient g", names: ["gradient"] }, ...spec.plots];
  plots.push({ title: "step, in units of α", names: ["step"] });
  const lowest = plots.length - 2, views = plots.map((plot, i) =>
    stepView(life, spec, put, { ...plot, xlabel: i >= lowest ? "step t" : "" }));
  if (spec.loss) views.unshift(lossView(life, spec, get, put));
  ui.panels.classList.add("fm-pairs");
  ui.panels.append(...views.map(({ panel }) => panel.root));

  let now, stale = true;
  const tables = ui.tables(() => numbers(spec, now));
  const draw = () => {
    if (stale) {
      now = evaluate(spec, code, get);
      for (const view of views) view.draw(now);
    }
    for (const view of views) view.look(now, get("step"));
    ui.say(words(spec, now, get("step")));
    switches((i) => !get("hidden").includes(labels[i]));
    tables();
    stale = false;
  };
  const request = life.frame(draw);
  const again = () => { stale = true; request(); };
  const labels = spec.rules.map(({ label }) => label);
  const scrubber = { name: "step", label: "step", lo: 1, hi: spec.steps, step: 1, whole: true };
  const switches = legend(life, ui.legend, spec.rules, (i) => put("hidden", toggled(get("hidden"), labels[i])));
  ui.timeline.append(player(life, model, "step", spec.steps, 1),
    slider(life, model, { ...scrubber, text: (v) => `${v} of ${spec.steps}` }).root);
  ui.controls.append(...spec.sliders.map((options) => control(life, model, options).root));
  life.listen(model, ["step"], request);
  life.listen(model, ["hidden", ...spec.sliders.map(({ name }) => name)], again);
  tools(life, model, ui, spec, fieldsOf([...spec.sliders, scrubber], labels));
  draw();
  life.resized(ui.panels, again);
  return () => life.end();
}

export default { render };
