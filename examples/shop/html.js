/** `html` templates: every value is escaped, unless it is itself the result of a template. */

/**
 * @typedef {Html | string | number | false | null | undefined} Part
 * @typedef {Part | readonly Part[]} Value
 */

export class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text
  }

  toString() {
    return this.text
  }
}

/**
 * Strings and numbers are escaped, lists are joined, and `false`, `null` and `undefined` leave nothing.
 *
 * @param {TemplateStringsArray} strings
 * @param {...Value} values
 */
export function html(strings, ...values) {
  let text = strings[0] ?? ''
  for (const [at, value] of values.entries()) text += render(value) + strings[at + 1]
  return new Html(text)
}

/**
 * @param {Value} value
 * @returns {string}
 */
function render(value) {
  if (value instanceof Html) return value.text
  if (value === false || value === null || value === undefined) return ''
  if (typeof value === 'object') return value.map(render).join('')
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** @type {Record<string, string>} */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
