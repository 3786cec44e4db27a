// Rounds: singular values of gradient, memory and step. First numbers, then drawing, then wiring.

/** The singular values of a matrix given row by row, falling: rows are turned in pairs until all are at right angles. */
function singularValues(matrix, [rows, columns]) {
  const a = Float64Array.from(matrix), dot = (i, j) => {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += a[i * columns + k] * a[j * columns + k];
    return sum;
  };
  for (let sweep = 0, turned = true; turned && sweep < 60; sweep++) {
    turned = false;
    for (let i = 0; i < rows; i++) {
      for (let j = i + 1; j < rows; j++) {
        const p = dot(i, i), q = dot(j, j), r = dot(i, j);
        if (Math.abs(r) <= 1e-15 * Math.sqrt(p * q)) continue;
        const z = (q - p) / (2 * r), t = (z < 0 ? -1 : 1) / (Math.abs(z) + Math.hypot(1, z));
        const c = 1 / Math.hypot(1, t), s = c * t;
        for (let k = 0; k < columns; k++) {
          const x = a[i * columns + k], y = a[j * columns + k];
          a[i * columns + k] = c * x - s * y;
          a[j * columns + k] = s * x + c * y;
        }
        turned = true;
      }
    }
  }
  return Float64Array.from({ length: rows }, (_, i) => Math.sqrt(dot(i, i))).sort().reverse();
}

/** What the rounds of now make of a singular value. */
function curve(code, get) {
  const [polynomial, parameters] = code.polynomials[get("polynomial")];
  return (s) => {
    for (let k = 0; k < get("rounds"); k++) s = polynomial(s, parameters);
    return s;
  };
}

/** From the state of the figure to its numbers: shares of the length, and the singular values of the step. */
function evaluate(spec, code, get) {
  const size = spec.gradients[0].length, beta = [get("beta")], average = (m, g) => m.map((v, i) => code.memory(v, g[i], beta));
  let memory = new Float64Array(size);
  for (let t = 0; t < get("step"); t++) memory = average(memory, spec.gradients[t]);
  const gradient = spec.gradients[get("step") - 1];
  const shares = (matrix) => singularValues(matrix.map((v) => v / Math.hypot(...matrix)), spec.shape);
  const ahead = shares(average(memory, gradient));
  return { gradient: shares(gradient), memory: ahead, step: ahead.map(curve(code, get)).map(Math.abs) };
}

const round = (v) => show(v, 3), tall = (wide) => clamp(0.62 * wide, 150, 230);

/** The outcome in words. */
function words(values, get) {
  const ends = (list) => `from ${round(Math.max(...list))} down to ${round(Math.min(...list))}`, rounds = get("rounds");
  return sentences([
    `step ${get("step")}, singular values of the gradient ${ends(values.gradient)}, of the memory ${ends(values.memory)} of its length`,
    `after ${rounds} round${rounds === 1 ? "" : "s"} those of the step reach ${ends(values.step)}`,
  ]);
}

/** The curve from a singular value of the memory to that of the step, with those of now on it. */
function curveView(life, spec, code, get) {
  const p = panel(life, { title: "", name: "the curve of the rounds", xlabel: "singular value of the memory", left: 34 });
  const goal = p.path("fm-boundary"), line = p.path("fm-done", spec.colors.step), dots = p.over.appendChild(svg("g", {}));
  const xs = Float64Array.from({ length: 401 }, (_, i) => spec.least ** (1 - i / 400));
  return {
    panel: p,
    draw(values) {
      const f = curve(code, get), ys = xs.map(f), count = get("rounds");
      p.height(tall);
      p.title(`singular value of the step, after ${count} round${count === 1 ? "" : "s"}`);
      p.frame({ x: [spec.least, 1], y: [0, 1.35], logX: true });
      set(goal, { d: `M0 ${p.y(1)}H${p.w}` });
      set(line, { d: trace(xs.map(p.x), ys.map(p.y)) });
      dots.replaceChildren();
      values.memory.forEach((s, i) => p.put(
        dots.appendChild(svg("circle", { class: "fm-dot", r: 4.5, style: `--fm-c:${spec.colors.step}` })), p.x(s), p.y(values.step[i])));
    },
  };
}

/** The singular values of all three against their number. */
function valuesView(life, spec) {
  const p = panel(life, { title: "singular values (log scale)", xlabel: "number", left: 46 });
  const inside = p.inside.appendChild(svg("g", {}));
  return {
    panel: p,
    draw(values) {
      const names = Object.keys(spec.colors), count = values.step.length;
      p.height(tall);
      p.frame({ x: [0.5, count + 0.5], y: [spec.least, 2], log: true });
      inside.replaceChildren(...names.flatMap((name) => {
        const xs = Float64Array.from(values[name], (_, i) => p.x(i + 1)), ys = values[name].map((v) => p.y(Math.max(v, spec.least)));
        const part = (kind, d) => svg("path", { class: kind, style: `--fm-c:${spec.colors[name]}`, d });
        return [part("fm-future", trace(xs, ys)), part("fm-beads", beads(xs, ys))];
      }));
    },
  };
}

function numbers(values) {
  const names = Object.keys(values);
  return [table("Singular values: of gradient and memory as shares of their length", ["number", ...names],
    Array.from(values.step, (_, i) => [i + 1, ...names.map((name) => show(values[name][i], 6))]))];
}

async function render({ model, el }) {
  const spec = model.get("_spec"), code = await load(spec.code), life = lifecycle(), ui = shell(el, spec, life);
  const get = (name) => model.get(name), [rounds, beta, step] = spec.sliders;
  const views = [curveView(life, spec, code, get), valuesView(life, spec)];
  ui.panels.classList.add("fm-pairs");
  ui.panels.append(...views.map(({ panel }) => panel.root));
  ui.legend.removeAttribute("role");
  ui.legend.removeAttribute("aria-label");
  ui.legend.append(...Object.entries(spec.colors).map(([name, color]) =>
    html("span", { class: "fm-part" }, svg("svg", { width: 12, height: 12, "aria-hidden": "true" },
      svg("circle", { class: "fm-dot", r: 5, cx: 6, cy: 6, style: `--fm-c:${color}` })), name)));
  let now;
  const tables = ui.tables(() => numbers(now));
  const draw = () => {
    now = evaluate(spec, code, get);
    for (const view of views) view.draw(now);
    ui.say(words(now, get));
    tables();
  };
  const request = life.frame(draw);
  ui.timeline.append(player(life, model, "rounds", rounds.hi), slider(life, model, rounds).root);
  ui.controls.append(slider(life, model, step).root, slider(life, model, beta).root,
    ...(spec.choice.options.length > 1 ? [choice(life, model, spec.choice).root] : []));
  life.listen(model, ["polynomial", ...spec.sliders.map(({ name }) => name)], request);
  tools(life, model, ui, spec, fieldsOf([...spec.sliders, spec.choice]));
  draw();
  life.resized(ui.panels, request);
  return () => life.end();
}

export default { render };
