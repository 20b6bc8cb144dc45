/** The response headers that every page has. */

/** @type {import('express').RequestHandler} */
export const securityHeaders = (req, res, next) => {
  res.set({
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    // Every page names who is logged in: after a logout, the back button has to ask the server again.
    'Cache-Control': 'no-store',
  })
  if (req.secure) res.set('Strict-Transport-Security', 'max-age=31536000')
  next()
}
