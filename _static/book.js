// What scrolls by itself can be scrolled by keyboard: wide equations and tables get a place in the tab order while they overflow.

addEventListener("load", () => {
  const wide = "mjx-container[display], div.math, .pst-scrollable-table-container";
  const update = () => {
    for (const box of document.querySelectorAll(wide)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", update);
  window.MathJax?.startup?.promise.then(update);
  update();
});
