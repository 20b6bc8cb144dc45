// What the records of test/stores/lmdb-writer.mjs look like after each step: both sides of the crash test agree on it.

export const LANES = 8

export function laneId(writer, lane) {
  return `${writer}/${lane}`
}

/** The payload and owner after a step; undefined when the step deletes the record. */
export function stateAfter(writer, lane, step) {
  if (step % 7 === 0) return undefined
  const length = 8 + ((step * 7919 + lane * 104_729) % (step % 5 === 0 ? 20_000 : 400))
  const payload = new Uint8Array(length).fill((step + lane) & 255)
  new DataView(payload.buffer).setFloat64(0, step)
  return { payload, owner: step % 3 === 0 ? `${writer} of step 3` : writer }
}
