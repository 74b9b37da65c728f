import { finding, type Check } from './finding.ts'

/** Node 24 is the floor: older ones lack a fix for truncated headers, and are no longer maintained. */
export const checkNode: Check = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const good = major > 24 || (major === 24 && minor >= 11)
  return [
    finding(
      good,
      'Node',
      process.versions.node,
      'Use Node 24.11 or newer: npx node is the one that comes with Postern.',
    ),
  ]
}
