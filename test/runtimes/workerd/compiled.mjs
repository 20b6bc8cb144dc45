// A worker with the module that was compiled at its deployment.
import module from 'fast-session/core.wasm'
import { serve } from './serve.mjs'

export default serve(module)
