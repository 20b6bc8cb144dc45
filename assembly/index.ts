// What the module exports, nothing else.

export { INPUT, INPUT_SIZE } from './memory'
export { finish, start, update } from './sha256'
