/**
 * Every command that a message may name for somebody to run, by the words that it begins with; `check-remedies.mjs` refuses
 * any other. A test plays each: the situation, the command as the program says it, and that it mends.
 */
export const REMEDIES = {
  deploy: "rollout deploy",
  "deploy-cluster": "npx rollout deploy cluster",
  undo: "rollout undo",
  restart: "rollout restart",
  resume: "rollout resume",
  cancel: "rollout cancel",
  checks: "npx rollout checks",
  gc: "rollout gc",
  retire: "rollout retire",
  destroy: "rollout destroy",
  "set-image": "rollout set image",
  untaint: "untaint",
  import: "import",
  "state-rm": "state rm",
  "force-unlock": "force-unlock",
  "restore-state": "cp",
  "start-agent": "sudo systemctl start",
  "end-drain": "nomad node drain -disable",
  "make-eligible": "nomad node eligibility -enable",
  "remove-consul-peer": "consul operator raft remove-peer",
  "remove-nomad-peer": "nomad operator raft remove-peer",
  "end-machine": "aws ec2 terminate-instances",
} as const;

export type RemedyId = keyof typeof REMEDIES;
