/** Which runtime this is. Those that stand in for Node.js name its version, and their own beside it. */

const versions: Partial<Record<string, string>> = globalThis.process?.versions ?? {}

export const { bun, v8 } = versions

/** Whether requests and responses are those of Node.js itself. */
export const hasNodesMessages: boolean =
  versions['node'] !== undefined && bun === undefined && versions['deno'] === undefined
