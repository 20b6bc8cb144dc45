// Serves the application on a free port of any runtime with node:http, and prints the port. Sessions are kept in the
// memory of the process; if a folder is named, by LMDB in that folder, and the server is that of fast-session/server.
import { createServer as plainServer } from 'node:http'
import express from 'express'
import fastSession from 'fast-session'
import { createCore } from 'fast-session/core'
import { lmdbStore } from 'fast-session/lmdb'
import { createServer } from 'fast-session/server'
import { createApp } from './app.mjs'

const path = process.argv[2]
const store = path === undefined ? undefined : lmdbStore({ path })
const app = createApp({ express, fastSession, createCore, store })
const server = path === undefined ? plainServer(app) : createServer(app)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
