// The application as a worker: its server listens to the worker's requests.
import { httpServerHandler } from 'cloudflare:node'
import express from 'express'
import fastSession from 'fast-session'
import { createCore } from 'fast-session/core'
import { createApp } from '../app.mjs'

const PORT = 8080

export function serve(module) {
  createApp({ express, fastSession, createCore, module }).listen(PORT)
  return httpServerHandler({ port: PORT })
}
