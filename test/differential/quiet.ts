/** Keeps express-session's deprecation notices out of the test output; to be imported before it. */
process.env['NO_DEPRECATION'] = 'express-session'

export {}
