// Handlers that Datasette's pages have inside their tags, where our Content-Security-Policy allows none.
"use strict";
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-choose-columns]") && window.openColumnChooser) window.openColumnChooser();
});
