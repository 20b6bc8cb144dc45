// A worker that has the WebAssembly of the package as bytes, like any other program.
import { serve } from './serve.mjs'

export default serve()
