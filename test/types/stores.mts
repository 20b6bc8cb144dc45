/** Stores that were made for express-session are stores of fast-session, checked by the compiler alone. */
import MongoStore from 'connect-mongo'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import fastSession from 'fast-session'

fastSession({ store: new RedisStore({ client: {} }) })
fastSession({ store: MongoStore.create({ mongoUrl: 'mongodb://localhost' }) })

const PgStore = connectPgSimple(fastSession)
fastSession({ store: new PgStore({ conString: 'postgres://localhost' }) })
