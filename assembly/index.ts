// What the module exports, nothing else.

export { INPUT, INPUT_SIZE, KEY, KEY_SIZE, POOL, POOL_SIZE, TEXT, TEXT_SIZE } from './memory'
export { PAYLOAD, PAYLOAD_SIZE, PAYLOAD_SLACK, UNICODE, UNICODE_SIZE, UNITS, UNITS_SIZE } from './memory'
export { OUTPUT, SKELETON, TEXTS, TEXTS_SIZE } from './memory'
export { absorb, startHash } from './sha256'
export { finishSign, finishVerify, setKey, setLongKey, sign, startMac, verify } from './hmac'
export { finishHash, hash, poolFilled, takeId } from './ids'
export { assemble } from './msgpack/assemble'
export { toJson } from './msgpack/json'
export { scan } from './msgpack/scan'
export { isAscii } from './text'
