export const LANES: number
export function laneId(writer: string, lane: number): string
export function stateAfter(
  writer: string,
  lane: number,
  step: number,
): { payload: Uint8Array; owner: string } | undefined
