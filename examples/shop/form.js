/** What a form sent, and the fields that ask for it. */
import { html } from './html.js'

/**
 * A text field of a request's body: trimmed, and no longer than it should be.
 *
 * @param {import('express').Request} req
 * @param {string} name
 */
export function text(req, name, longest = 200) {
  const value = req.body?.[name]
  return typeof value === 'string' ? value.trim().slice(0, longest) : ''
}

/**
 * A number of a request's body: whole and not negative, else undefined.
 *
 * @param {import('express').Request} req
 * @param {string} name
 */
export function count(req, name) {
  const value = text(req, name)
  return /^\d{1,4}$/.test(value) ? Number(value) : undefined
}

/**
 * A labelled text input, with the complaint about its value if there is one.
 *
 * @param {object} field
 * @param {string} field.name
 * @param {string} field.label
 * @param {string} [field.value]
 * @param {string} [field.type]
 * @param {string} [field.autocomplete]
 * @param {string} [field.error]
 * @param {string} [field.className]
 */
export function input({
  name,
  label,
  value = '',
  type = 'text',
  autocomplete = 'off',
  error,
  className = '',
}) {
  return html`
    <div class="field ${className}">
      <label for="${name}">${label}</label>
      <input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}"
        maxlength="200" required ${error && html`aria-invalid="true" aria-describedby="${name}-error"`}>
      ${error && html`<p class="error" id="${name}-error">${error}</p>`}
    </div>`
}
