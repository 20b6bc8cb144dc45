// Serves the application on a free port of any runtime with node:http, and prints the port.
import express from 'express'
import fastSession from 'fast-session'
import { createCore } from 'fast-session/core'
import { createApp } from './app.mjs'

const server = createApp({ express, fastSession, createCore }).listen(0, '127.0.0.1', () => {
  console.log(server.address().port)
})
