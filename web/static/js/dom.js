// Small ways to build elements. Text always goes in as text: the page requires trusted
// types and defines none, so markup cannot be made from strings at all.

const svgSpace = 'http://www.w3.org/2000/svg';

/** Makes an element; functions become listeners, `true` an empty attribute, null nothing. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** One icon of the family; it stands beside words and is silent. */
export function glyph(name) {
  return svg('svg', { class: 'glyph', 'aria-hidden': 'true' }, svg('use', { href: `#i-${name}` }));
}

export function press(icon, words, act, kind = '') {
  return h('button', { type: 'button', class: `press ${kind}`, click: act }, glyph(icon), h('span', {}, words));
}

/** A button of one icon; its words are its name and its tip. */
export function barePress(icon, words, act) {
  return h('button', { type: 'button', class: 'press bare', 'aria-label': words, title: words, click: act }, glyph(icon));
}

export function link(icon, words, href, kind = '') {
  return h('a', { class: `press ${kind}`, href }, glyph(icon), h('span', {}, words));
}

/** Replaces an element's children, unless they would look the same to a listener. */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Does something that an element asks for; one that is at it is not asked twice. */
export async function once(element, act) {
  if (element.getAttribute('aria-busy') === 'true') return;
  element.setAttribute('aria-busy', 'true');
  try {
    await act();
  } finally {
    element.removeAttribute('aria-busy');
  }
}
