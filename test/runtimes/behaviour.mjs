// What the application does, seen from outside: the same over HTTP, whatever it runs on.

/** Checks the application at `origin`. Answers the names of the checks that passed; throws at the first that fails. */
export async function behaviour(origin, engine) {
  const passed = []
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(new Visitor(origin), engine)
    } catch (error) {
      throw new Error(`${name}: ${error.message}`, { cause: error })
    }
    passed.push(name)
  }
  return passed
}

const checks = {
  async 'the engine is the one that is expected here'(visitor, engine) {
    equal((await visitor.get('/engine')).json().middleware, engine)
  },
  async 'the core signs, verifies, hashes and encodes as the standards say'(visitor, engine) {
    equal((await visitor.get('/engine')).json().core, { engine, failed: [] })
  },
  async 'a session that nobody touched makes no cookie'(visitor) {
    equal((await visitor.get('/untouched')).cookies, [])
  },
  async 'a new visitor gets a signed cookie that scripts cannot read'(visitor) {
    const [cookie] = (await visitor.get('/visit')).cookies
    matches(cookie, /^connect\.sid=s%3A[\w-]{32}\.[\w%]{43,}; Path=\/; HttpOnly; SameSite=Lax$/)
  },
  async 'a returning visitor is known, and gets no new cookie'(visitor) {
    const first = (await visitor.get('/visit')).json()
    const second = await visitor.get('/visit')
    equal(second.json(), { visits: 2, id: first.id })
    equal(second.cookies, [])
  },
  async 'a cookie that was tampered with is a stranger'(visitor) {
    await visitor.get('/visit')
    visitor.cookie = visitor.cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    equal((await visitor.get('/visit')).json().visits, 1)
  },
  async 'a login gives another id, keeps the user, and redirects once the session is stored'(visitor) {
    const { id } = (await visitor.get('/visit')).json()
    const login = await visitor.post('/login')
    equal([login.status, login.location], [302, '/read'])
    equal((await visitor.get(login.location)).json(), { user: 'ann', visits: null })
    differ((await visitor.get('/visit')).json().id, id)
  },
  async 'the id from before the login opens nothing'(visitor) {
    await visitor.get('/visit')
    const { cookie } = visitor
    await visitor.post('/login')
    visitor.cookie = cookie
    equal((await visitor.get('/read')).json(), { user: null, visits: null })
  },
  async 'a logout ends the session'(visitor) {
    await visitor.post('/login')
    equal((await visitor.post('/logout')).text, 'gone')
    equal((await visitor.get('/read')).json(), { user: null, visits: null })
  },
  async 'a response in pieces carries the cookie and stores the session'(visitor) {
    const streamed = await visitor.get('/stream')
    equal([streamed.text, streamed.cookies.length], ['one two three', 1])
    equal((await visitor.get('/streamed')).json(), true)
  },
  async 'values of every type come back as they were'(visitor) {
    await visitor.get('/values/store')
    equal((await visitor.get('/values')).json(), [])
  },
  async 'two requests at once keep both their changes'(visitor) {
    await visitor.get('/visit')
    await Promise.all([visitor.get('/stream'), visitor.get('/visit')])
    equal((await visitor.get('/streamed')).json(), true)
    equal((await visitor.get('/read')).json().visits, 2)
  },
  async 'an error of a handler reaches the error handler'(visitor) {
    const failed = await visitor.get('/error')
    equal([failed.status, failed.text], [500, 'the handler failed'])
  },
  async 'visitors do not share a session'(visitor) {
    await visitor.get('/visit')
    equal((await new Visitor(visitor.origin).get('/visit')).json().visits, 1)
  },
}

/** A browser, as far as cookies go. */
class Visitor {
  cookie = undefined

  constructor(origin) {
    this.origin = origin
  }

  get(path) {
    return this.#send('GET', path)
  }

  post(path) {
    return this.#send('POST', path)
  }

  async #send(method, path) {
    const headers = this.cookie === undefined ? {} : { cookie: this.cookie }
    const response = await fetch(this.origin + path, { method, headers, redirect: 'manual' })
    const cookies = response.headers.getSetCookie()
    if (cookies.length > 0) this.cookie = cookies[0].split(';', 1)[0]
    const text = await response.text()
    return {
      status: response.status,
      location: response.headers.get('location'),
      cookies,
      text,
      json: () => JSON.parse(text),
    }
  }
}

function equal(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${a} is not ${b}`)
}

function differ(actual, other) {
  if (actual === other) throw new Error(`${actual} should be another one`)
}

function matches(actual, pattern) {
  if (!pattern.test(actual)) throw new Error(`${actual} does not match ${pattern}`)
}
