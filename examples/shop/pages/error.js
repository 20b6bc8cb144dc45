/** What is shown when there is nothing to show. */
import { html } from '../html.js'
import { sendPage } from './layout.js'

/** @type {import('express').RequestHandler} */
export const notFound = (req, res) => {
  res.status(404)
  sendPage(req, res, {
    title: 'Not found',
    main: message('Nothing here', 'There is no page at this address.'),
  })
}

/** @type {import('express').ErrorRequestHandler} */
export const failed = (error, req, res, next) => {
  const status = error.status >= 400 && error.status < 500 ? error.status : 500
  if (status === 500) console.error(error)
  // Half an answer is out, or there is no session to show a page with.
  if (res.headersSent) return next(error)
  res.status(status)
  const main =
    status === 500
      ? message('Something broke', 'It is our fault. Try again in a moment.')
      : message('That did not work', error.message)
  try {
    sendPage(req, res, { title: 'Error', main })
  } catch {
    res.type('text').send('Something broke. Try again in a moment.')
  }
}

/**
 * @param {string} title
 * @param {string} text
 */
function message(title, text) {
  return html`
    <div class="empty">
      <h1>${title}</h1>
      <p>${text}</p>
      <p><a class="button" href="/">Back to the teas</a></p>
    </div>`
}
