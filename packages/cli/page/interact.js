// What a reader can do with the figures of a page: values beside the pointer, series off and on, a stretch of the steps, a
// logarithmic axis, the picture as a file. Without scripts the same figures stand there as they are. It asks for nothing.
(() => {
  const [WIDTH, HEIGHT] = [640, 260];
  const MARGIN = { left: 56, right: 12, top: 12, bottom: 40 };
  const SVG = 'http://www.w3.org/2000/svg';
  const inner = { x: WIDTH - MARGIN.left - MARGIN.right, y: HEIGHT - MARGIN.top - MARGIN.bottom };
  const numbers = (text) => (text ? text.split(' ').map(Number) : []);
  const shown = (value) => String(Number(value.toPrecision(4)));

  const make = (parent, name, attributes, text) => {
    const element = name.startsWith('svg:')
      ? document.createElementNS(SVG, name.slice(4))
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const rangeOf = (group) => ({ from: Number(group.dataset.from), to: Number(group.dataset.to) });

  const ticksOf = ({ from, to }, count, isLog) => {
    if (isLog) {
      const all = [];
      for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power++)
        for (const factor of [1, 2, 5]) all.push(factor * 10 ** power);
      return all.filter((tick) => tick >= from && tick <= to).map((tick) => [tick, shown(tick)]);
    }
    const raw = (to - from) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    const ticks = [];
    for (let i = Math.ceil(from / step); i <= Math.floor(to / step); i++)
      ticks.push([i * step, digits < 7 ? (i * step).toFixed(digits) : (i * step).toExponential(2)]);
    return ticks;
  };

  /** The curves of one figure. */
  class Chart {
    constructor(svg, number) {
      const [axisX, axisY] = ['x', 'y'].map((name) => svg.querySelector(`[data-axis=${name}]`));
      Object.assign(this, { svg, axisX, axisY, isLog: false });
      this.series = [...svg.querySelectorAll('[data-xs]')].map((element) => ({
        element,
        xs: numbers(element.dataset.xs),
        ys: numbers(element.dataset.ys),
      }));
      this.home = { x: rangeOf(axisX), y: rangeOf(axisY) };
      this.range = { ...this.home };
      this.isBare = axisY.hasAttribute('data-bare');
      const clip = make(svg, 'svg:clipPath', { id: `inside-${number}` });
      make(clip, 'svg:rect', { x: MARGIN.left, y: MARGIN.top - 4, width: inner.x, height: inner.y + 8 });
      for (const { element } of this.series) element.setAttribute('clip-path', `url(#inside-${number})`);
      this.cross = make(svg, 'svg:line', { y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: 'hidden' });
      this.band = make(svg, 'svg:rect', {
        y: MARGIN.top,
        height: inner.y,
        fill: 'currentColor',
        opacity: 0.12,
        width: 0,
      });
    }

    canBeLog() {
      return !this.isBare && this.series.every(({ ys }) => ys.every((y) => y > 0));
    }

    toX(x) {
      const { from, to } = this.range.x;
      return MARGIN.left + ((x - from) / (to - from)) * inner.x;
    }

    toY(y) {
      const of = this.isLog ? Math.log : (value) => value;
      const { from, to } = this.range.y;
      return HEIGHT - MARGIN.bottom - ((of(y) - of(from)) / (of(to) - of(from))) * inner.y;
    }

    fromX(place) {
      const { from, to } = this.range.x;
      return from + ((place - MARGIN.left) / inner.x) * (to - from);
    }

    visible() {
      return this.series.filter(({ element }) => element.style.display !== 'none');
    }

    /** Shows a stretch of the horizontal axis, and of the other what lies in it. */
    show(x) {
      const isHome = x === this.home.x;
      const inside = this.visible().flatMap(({ xs, ys }) => ys.filter((_, i) => xs[i] >= x.from && xs[i] <= x.to));
      this.range = { x, y: this.home.y };
      if (inside.length > 0 && (this.isLog || (!isHome && !this.isBare))) {
        const [low, high] = [Math.min(...inside), Math.max(...inside)];
        const pad = 0.05 * (high - low) || Math.abs(high) / 10 || 0.5;
        this.range.y = this.isLog ? { from: low / 1.1, to: high * 1.1 } : { from: low - pad, to: high + pad };
      }
      this.draw();
    }

    draw() {
      for (const { element, xs, ys } of this.series) {
        const places = xs.map((x, i) => [this.toX(x).toFixed(1), this.toY(ys[i]).toFixed(1)]);
        if (element.tagName === 'polyline') element.setAttribute('points', places.map(String).join(' '));
        else
          for (const [i, circle] of [...element.children].entries())
            for (const [k, name] of ['cx', 'cy'].entries()) circle.setAttribute(name, places[i][k]);
      }
      const bottom = HEIGHT - MARGIN.bottom;
      this.axisX.replaceChildren();
      for (const [tick, text] of ticksOf(this.range.x, 8, false)) {
        const x = this.toX(tick).toFixed(1);
        make(this.axisX, 'svg:line', { x1: x, x2: x, y1: bottom, y2: bottom + 4 });
        make(this.axisX, 'svg:text', { x, y: bottom + 17, 'text-anchor': 'middle' }, text);
      }
      if (this.isBare) return;
      this.axisY.replaceChildren();
      for (const [tick, text] of ticksOf(this.range.y, 5, this.isLog)) {
        const y = this.toY(tick);
        make(this.axisY, 'svg:line', { x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y, y2: y });
        make(this.axisY, 'svg:text', { x: MARGIN.left - 6, y: y + 4, 'text-anchor': 'end' }, text);
      }
    }

    /** The values of each curve nearest to a place on the horizontal axis. */
    at(x) {
      const found = new Map();
      for (const { element, xs, ys } of this.visible()) {
        const { name } = element.dataset;
        if (found.has(name) || xs.length === 0) continue;
        let nearest = 0;
        for (let i = 1; i < xs.length; i++) if (Math.abs(xs[i] - x) < Math.abs(xs[nearest] - x)) nearest = i;
        found.set(name, { x: xs[nearest], y: ys[nearest] });
      }
      return found;
    }
  }

  const tip = make(document.body, 'div', { class: 'tip', role: 'status', hidden: '' });

  function tell(chart, x, place) {
    const found = chart.at(x);
    if (found.size === 0) return;
    const nearest = [...found.values()].reduce((a, b) => (Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a)).x;
    const cross = chart.toX(nearest);
    for (const name of ['x1', 'x2']) chart.cross.setAttribute(name, cross);
    chart.cross.setAttribute('visibility', 'visible');
    tip.replaceChildren();
    make(tip, 'b', {}, `${chart.axisX.dataset.label ?? ''} ${shown(nearest)}`);
    for (const [name, { x: own, y }] of found)
      make(tip, 'div', {}, `${name}: ${shown(y)}${own === nearest ? '' : ` (at ${shown(own)})`}`);
    tip.hidden = false;
    const left = Math.min(place.x + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(4, left) + window.scrollX}px`;
    tip.style.top = `${place.y + 14 + window.scrollY}px`;
  }

  function hush(chart) {
    tip.hidden = true;
    chart.cross.setAttribute('visibility', 'hidden');
  }

  function follow(chart, whole) {
    const { svg } = chart;
    const placeOf = (event) => {
      const { left, width } = svg.getBoundingClientRect();
      const place = ((event.clientX - left) / width) * WIDTH;
      return Math.min(WIDTH - MARGIN.right, Math.max(MARGIN.left, place));
    };
    let begun;
    svg.addEventListener('pointerdown', (event) => {
      begun = placeOf(event);
    });
    svg.addEventListener('pointermove', (event) => {
      const place = placeOf(event);
      if (begun !== undefined && event.buttons === 1) {
        chart.band.setAttribute('x', Math.min(begun, place));
        chart.band.setAttribute('width', Math.abs(place - begun));
      }
      tell(chart, chart.fromX(place), { x: event.clientX, y: event.clientY });
    });
    svg.addEventListener('pointerup', (event) => {
      const ends = [begun ?? 0, placeOf(event)].map((place) => chart.fromX(place)).sort((a, b) => a - b);
      const isWide = begun !== undefined && Math.abs(placeOf(event) - begun) > 12;
      begun = undefined;
      chart.band.setAttribute('width', 0);
      if (!isWide) return;
      chart.show({ from: ends[0], to: ends[1] });
      whole.hidden = false;
    });
    svg.addEventListener('pointerleave', () => {
      begun = undefined;
      chart.band.setAttribute('width', 0);
      hush(chart);
    });
    svg.addEventListener('dblclick', () => whole.click());
    const xs = [...new Set(chart.series.flatMap((one) => one.xs))].sort((a, b) => a - b);
    let at = 0;
    svg.setAttribute('tabindex', '0');
    svg.addEventListener('keydown', ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (key === 'Escape') hush(chart);
      if (step === undefined) return;
      at = Math.min(xs.length - 1, Math.max(0, at + step));
      const { left, top, width } = svg.getBoundingClientRect();
      tell(chart, xs[at], { x: left + (chart.toX(xs[at]) / WIDTH) * width, y: top });
    });
    svg.addEventListener('blur', () => hush(chart));
  }

  function saved(svg, kind) {
    const clone = svg.cloneNode(true);
    const { width, height } = svg.viewBox.baseVal;
    const { color } = getComputedStyle(svg);
    for (const [key, value] of Object.entries({ xmlns: SVG, width, height })) clone.setAttribute(key, value);
    clone.style.cssText = `color:${color};fill:currentColor;font:11px sans-serif;background:${getComputedStyle(document.body).backgroundColor}`;
    const text = new XMLSerializer().serializeToString(clone);
    const name = `${(svg.getAttribute('aria-label') ?? 'figure').replace(/\W+/g, '-')}.${kind}`;
    const give = (blob) => {
      const link = make(document.body, 'a', { href: URL.createObjectURL(blob), download: name });
      link.click();
      link.remove();
    };
    if (kind === 'svg') return give(new Blob([text], { type: 'image/svg+xml' }));
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [2 * width, 2 * height];
      canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(give);
    };
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
  }

  for (const [number, svg] of [...document.querySelectorAll('svg[role=img]')].entries()) {
    const tools = document.createElement('p');
    tools.className = 'tools';
    svg.after(tools);
    if (svg.querySelector('[data-axis=x]') && svg.querySelector('[data-axis=y]') && svg.querySelector('[data-xs]')) {
      const chart = new Chart(svg, number);
      if (chart.canBeLog()) {
        const log = make(tools, 'button', { type: 'button', 'aria-pressed': 'false' }, 'log axis');
        log.addEventListener('click', () => {
          chart.isLog = !chart.isLog;
          log.setAttribute('aria-pressed', chart.isLog);
          chart.show(chart.range.x);
        });
      }
      const whole = make(tools, 'button', { type: 'button', hidden: '' }, 'whole');
      whole.addEventListener('click', () => {
        whole.hidden = true;
        chart.show(chart.home.x);
      });
      follow(chart, whole);
    }
    for (const kind of ['svg', 'png'])
      make(tools, 'button', { type: 'button' }, kind.toUpperCase()).addEventListener('click', () => saved(svg, kind));
  }

  // A legend is of all figures up to the next one.
  let legend;
  for (const element of document.querySelectorAll('.legend, svg[role=img]')) {
    if (element.classList.contains('legend')) {
      legend = element;
      legend.figures = [];
    } else if (legend) legend.figures.push(element);
  }
  for (const span of document.querySelectorAll('.legend [data-series]')) {
    for (const [key, value] of Object.entries({ role: 'button', tabindex: '0', 'aria-pressed': 'true' }))
      span.setAttribute(key, value);
    const toggle = () => {
      const isOn = span.getAttribute('aria-pressed') !== 'true';
      span.setAttribute('aria-pressed', isOn);
      for (const svg of span.closest('.legend').figures)
        for (const element of svg.querySelectorAll(`[data-series="${span.dataset.series}"]`))
          element.style.display = isOn ? '' : 'none';
    };
    span.addEventListener('click', toggle);
    span.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      toggle();
    });
  }
})();
