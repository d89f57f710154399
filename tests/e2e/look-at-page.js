// In a browser, in a page of frames: what a reader could not read in each of them, as JSON in an element `seen`.
(() => {
  const found = [];

  /** A computed colour as [red, green, blue, opacity]. */
  function colour(text) {
    const parts = text.match(/[\d.]+/g).map(Number);
    const [red, green, blue, opacity = 1] = parts;
    return text.startsWith('color(srgb') ? [255 * red, 255 * green, 255 * blue, opacity] : [red, green, blue, opacity];
  }
  const over = ([red, green, blue, opacity], below) =>
    [red, green, blue].map((part, i) => part * opacity + below[i] * (1 - opacity));
  const light = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue);
  /** WCAG 2.2, "contrast ratio". */
  function contrast(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  /** An element and those around it, the outermost first. */
  function around(element) {
    const all = [];
    for (let at = element; at; at = at.parentElement) all.unshift(at);
    return all;
  }

  function look(frame) {
    const view = frame.contentWindow;
    const page = view.document;
    const isDark = view.matchMedia('(prefers-color-scheme: dark)').matches;
    const styleOf = (element) => view.getComputedStyle(element);
    const isScrolled = (element) => /auto|scroll/.test(styleOf(element).overflowX);
    const tell = (what, text) =>
      found.push(`${frame.width} px${isDark ? ', dark' : ''}: ${what}: ${text.trim().slice(0, 80)}`);

    for (const error of view.errors) tell('error', error);
    for (const { name } of view.performance.getEntriesByType('resource')) tell('request', name);
    for (const details of page.querySelectorAll('details')) details.open = true;
    for (const element of page.body.querySelectorAll(':not(svg *)'))
      if (
        element.getBoundingClientRect().right > view.innerWidth + 1 &&
        !around(element.parentElement).some(isScrolled)
      )
        tell('wider than the window', element.outerHTML);

    /** Whether text is cut by an element around it, unless it is there for screen readers alone. */
    function tellIfCut(box, elements, text) {
      for (const element of elements) {
        const { overflowX, overflowY } = styleOf(element);
        const { left, right, top, bottom } = element.getBoundingClientRect();
        const isCutAside = /hidden|clip/.test(overflowX) && (box.left < left - 1 || box.right > right + 1);
        const isCutAbove = /hidden|clip/.test(overflowY) && (box.top < top - 2 || box.bottom > bottom + 2);
        if (isCutAside || isCutAbove) tell('cut off', text);
      }
    }

    const labels = new Map();
    const texts = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const { parentElement: element, textContent: text } = node;
      if (!text.trim() || element.closest('script, style, title, desc')) continue;
      const range = page.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width === 0 || styleOf(element).visibility === 'hidden') continue;
      const svg = element.closest('svg');
      const elements = around(svg ?? element);
      if (elements.some((one) => one.getBoundingClientRect().width <= 1)) continue;
      tellIfCut(box, elements, text);
      if (svg) {
        const { a, b } = element.getScreenCTM();
        const size = parseFloat(styleOf(element).fontSize) * Math.hypot(a, b);
        if (size < 9) tell(`text of ${size.toFixed(1)} px`, text);
        for (const other of labels.get(svg) ?? []) {
          const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
          const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
          if (width > 2 && height > 3) tell('over other text', `${text} | ${other.text}`);
        }
        labels.set(svg, [...(labels.get(svg) ?? []), { text, box }]);
      }
      let behind = isDark ? [18, 18, 18] : [255, 255, 255];
      for (const one of elements) behind = over(colour(styleOf(one).backgroundColor), behind);
      const ink = colour(svg ? styleOf(element).fill : styleOf(element).color);
      const ratio = contrast(over(ink, behind), behind);
      if (ratio < 4.5) tell(`contrast of ${ratio.toFixed(2)}`, text);
    }
    if (labels.size !== page.querySelectorAll('svg:has([data-axis])').length)
      tell('figures without text', `${labels.size}`);
  }

  for (const frame of document.querySelectorAll('iframe')) look(frame);
  const out = document.createElement('pre');
  out.id = 'seen';
  out.textContent = JSON.stringify(found);
  document.body.append(out);
})();
