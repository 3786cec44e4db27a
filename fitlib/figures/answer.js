// Answer: the reader's own words first, then a model answer and a list to check them against.

/** What is kept in this browser alone: { text, checked, open }; as long as the page where nothing can be kept. */
function memory(key) {
  const kept = { text: "", checked: [], open: false };
  try {
    const { text, checked, open } = JSON.parse(localStorage.getItem(key)) ?? {};
    if (typeof text === "string" && Array.isArray(checked)) Object.assign(kept, { text, checked, open: open === true });
  } catch { /* storage is switched off, or holds something else: begin anew */ }
  const write = (change) => {
    Object.assign(kept, change);
    try {
      localStorage.setItem(key, JSON.stringify(kept));
    } catch { /* storage is switched off */ }
  };
  return { kept, write };
}

function render({ model, el }) {
  const spec = model.get("_spec"), life = lifecycle(), { kept, write } = memory(`fitting-models.answer.${spec.name}`);
  const heard = html("p", { class: "fm-said", "aria-live": "polite" });
  const own = html("textarea", { rows: 7, spellcheck: "true" }), hint = html("p", { class: "fm-hint" });
  own.value = kept.text;
  const words = () => own.value.trim().split(/\s+/).filter(Boolean).length;
  const note = () => {
    const count = words();
    hint.textContent = `${count} ${count === 1 ? "word" : "words"}. Your answer stays in this browser and is never sent.`;
  };

  const counted = html("p", { class: "fm-counted" }), boxes = spec.checklist.map((item, i) => {
    const box = html("input", { type: "checkbox" });
    box.checked = kept.checked.includes(i);
    life.on(box, "change", () => {
      write({ checked: boxes.flatMap((other, k) => (other.checked ? [k] : [])) });
      count();
      heard.textContent = counted.textContent;
    });
    return box;
  });
  const count = () => {
    counted.textContent = `My answer says ${boxes.filter((box) => box.checked).length} of ${boxes.length} of these.`;
  };
  const list = html("fieldset", { class: "fm-question" }, html("legend", {}, "Does your answer say this?"),
    ...boxes.map((box, i) => html("label", { class: "fm-check" }, box, rich("span", {}, spec.checklist[i]))), counted);
  const heading = html("p", { class: "fm-heading-of", tabindex: -1 }, html("strong", {}, "A model answer"));
  const opened = html("div", { class: "fm-model" }, heading, rich("div", {}, spec.model), list);

  const open = button(life, "", () => {
    if (!kept.open && words() < 5 && !open.dataset.asked) {
      open.dataset.asked = "yes";
      heard.textContent = hint.textContent = "Write your own answer first: a sentence is enough. Or press again.";
      return own.focus();
    }
    write({ open: !kept.open });
    update();
    if (kept.open) heading.focus({ preventScroll: true });
  });
  const forget = button(life, "erase", () => {
    write({ text: "", checked: [], open: false });
    own.value = "";
    for (const box of boxes) box.checked = false;
    update();
    own.focus();
  }, { title: "Erase the answer and the check marks from this browser" });
  const update = () => {
    opened.hidden = !kept.open;
    open.textContent = kept.open ? "hide the model answer" : "compare with a model answer";
    open.setAttribute("aria-expanded", String(kept.open));
    note();
    count();
  };
  const keep = life.later(300, () => write({ text: own.value }));
  life.on(own, "input", () => { note(); keep(); });
  const question = html("label", { class: "fm-own" }, rich("span", { class: "fm-asked" }, spec.question), own);
  el.replaceChildren(html("div", { class: "fm fm-answer" }, html("div", { class: "fm-body" },
    question, hint, html("div", { class: "fm-tools" }, open, forget), opened, heard)));
  update();
  typeset(el);
  return () => { write({ text: own.value }); life.end(); };
}

export default { render };
