// Two repairs of the theme's pages.

// What scrolls by itself can be scrolled by keyboard: wide equations, tables and code have a place in the tab order
// while they overflow. The theme looks at code too, but only a while after the window changed its size.
addEventListener("load", () => {
  const update = () => {
    const boxes = "mjx-container[display], div.math, .pst-scrollable-table-container, .fm-table, pre";
    for (const box of document.querySelectorAll(boxes)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(update).observe(document.querySelector("article") ?? document.body);
  window.MathJax?.startup?.promise.then(update);
});

// The search quotes the article, not the buttons and the table of contents in front of it.
addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const textOf = Search.htmlToText;
  Search.htmlToText = (page, anchor) => textOf(page.replace(/(role="main">)[^]*?(<article)/, "$1$2"), anchor);
});
