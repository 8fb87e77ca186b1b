// Returns what is wrong with the page that is shown, as texts. phone: links have to be large enough for a finger.
(phone) => {
  const found = [];
  const root = document.documentElement;
  const say = (text) => found.push(text);
  const short = (text) => text.trim().replace(/\s+/g, " ").slice(0, 60);
  if (root.scrollWidth > root.clientWidth && root.localName === "html") {
    say(`scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);
  }

  const shown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const inside = (a, b, by = 0.6) =>
    a.left >= b.left - by && a.right <= b.right + by && a.top >= b.top - by && a.bottom <= b.bottom + by;
  const meets = (a, b) => a.left < b.right - 0.6 && a.right > b.left + 0.6 && a.top < b.bottom - 0.6 && a.bottom > b.top + 0.6;

  // Drawings: each text inside the drawing, and inside or outside of each box, and on no other text.
  for (const svg of root.localName === "svg" ? [root] : document.querySelectorAll("svg[role=img]")) {
    if (!shown(svg)) continue;
    const box = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
    const rects = [...svg.querySelectorAll("rect")].map((rect) => rect.getBoundingClientRect());
    texts.forEach(([text, place], index) => {
      if (!inside(place, box)) say(`leaves its drawing: ${short(text.textContent)}`);
      for (const rect of rects) {
        if (meets(place, rect) && !inside(place, rect)) say(`leaves its box: ${short(text.textContent)}`);
      }
      for (const [other, there] of texts.slice(index + 1)) {
        const apart = Math.min(place.bottom, there.bottom) - Math.max(place.top, there.top) < 4;
        if (meets(place, there) && !apart) say(`stands on another text: ${short(text.textContent)}, ${short(other.textContent)}`);
      }
    });
  }

  const colour = (text) => {
    const parts = (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const scale = text.startsWith("color(srgb") ? 255 : 1;
    return { rgb: parts.slice(0, 3).map((part) => part * scale), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const over = (top, below) => top.rgb.map((part, index) => part * top.alpha + below[index] * (1 - top.alpha));
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  // What is painted behind an element: of a drawing the smallest box around it, else the nearest background.
  const behind = (element) => {
    const layers = [];
    const svg = element.closest("svg");
    if (svg) {
      const place = element.getBoundingClientRect();
      const around = [...svg.querySelectorAll("rect")]
        .filter((rect) => inside(place, rect.getBoundingClientRect(), 4) && getComputedStyle(rect).fill !== "none")
        .sort((a, b) => a.getBoundingClientRect().width - b.getBoundingClientRect().width)[0];
      if (around) layers.push(colour(getComputedStyle(around).fill));
    }
    for (let above = element; above; above = above.parentElement) layers.push(colour(getComputedStyle(above).backgroundColor));
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reverse().reduce((below, layer) => over(layer, below), dark ? [18, 18, 18] : [255, 255, 255]);
  };

  const walker = document.createTreeWalker(document.body || root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !shown(element) || element.closest("style, script, title, desc")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const place = range.getBoundingClientRect();
    if (!place.width || place.right <= 0) continue;
    const style = getComputedStyle(element);
    const front = colour(element.closest("svg") ? style.fill : style.color);
    const back = behind(element);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && parseInt(style.fontWeight) >= 700);
    const ratio = contrast(over(front, back), back);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}: ${short(node.data)}`);

    // A word on two lines is broken, unless it is longer than the whole width that there is.
    if (element.closest("svg")) continue;
    for (const match of node.data.matchAll(/[\p{L}\p{N}]{2,}/gu)) {
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      const lines = [...range.getClientRects()].filter((rect) => rect.width > 0);
      const width = lines.reduce((sum, rect) => sum + rect.width, 0);
      const tops = new Set(lines.map((rect) => Math.round(rect.top)));
      if (tops.size > 1 && width < root.clientWidth * 0.6) say(`word is broken: ${match[0]} in ${short(node.data)}`);
    }
  }

  if (phone) {
    for (const link of document.querySelectorAll("a[href], summary, button, label.overlay")) {
      const places = [...link.getClientRects()].filter((rect) => rect.width > 1 && rect.right > 0 && rect.left < innerWidth);
      if (!shown(link) || !places.length || link.matches(".headerlink, .skip-to-content")) continue;
      // In a sentence a link is as high as its line (WCAG 2.5.8 leaves these out).
      const alone = link.closest("nav, td, h3, footer, .toc-tree") && link.parentElement.textContent.trim() === link.textContent.trim();
      if (alone && Math.max(...places.map((rect) => rect.height)) < 16) say(`too small to touch: ${short(link.textContent)}`);
    }
  }
  return found;
}
