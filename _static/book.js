// Two repairs of the theme's pages.

// What scrolls by itself can be scrolled by keyboard: wide equations and tables have a place in the tab order while
// they overflow.
addEventListener("load", () => {
  const update = () => {
    for (const box of document.querySelectorAll("mjx-container[display], div.math, .pst-scrollable-table-container")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", update);
  window.MathJax?.startup?.promise.then(update);
  update();
});

// The search quotes the article, not the buttons and the table of contents in front of it.
addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const textOf = Search.htmlToText;
  Search.htmlToText = (page, anchor) => textOf(page.replace(/(role="main">)[^]*?(<article)/, "$1$2"), anchor);
});
