import type { EventRef } from '../timeline/ledger-event';
import type { DataSection, Explanation, PromotionSection, RunSection } from './explanation';

/** Names of a list that are told before "and n more". */
const TOLD_MAX = 12;

/** The explanation in plain sentences, each naming the event that it rests on. */
export function storyOf(explanation: Explanation): string[] {
  const { deployment, promotion, modelVersion, run, data, causes, afterwards } = explanation;
  return [
    ...prediction(explanation),
    ...(deployment
      ? [
          `Revision ${deployment.revision} of ${deployment.endpoint} had been deployed at ${deployment.at} by ${deployment.by}: ` +
            `${deployment.reason}${on(deployment.event)}.`,
        ]
      : []),
    ...(promotion ? promoted(promotion) : []),
    ...(modelVersion
      ? [
          `Version ${modelVersion.version} of ${modelVersion.model} was registered at ${modelVersion.at} by ${modelVersion.by}` +
            `${modelVersion.runId === null ? '' : `, from run ${modelVersion.runId}`}${on(modelVersion.event)}.`,
        ]
      : []),
    ...(run ? trained(run) : []),
    ...data.map(readData),
    ...causes.map(
      ({ what, event }, index) =>
        `${index === 0 ? 'It was trained because' : 'And that because'} ${what} at ${event.time}${on(event)}.`,
    ),
    ...afterwards.map(
      ({ what, by, reason, event }) =>
        `Afterwards, at ${event.time}, ${what}, by ${by}${reason === null ? '' : `: “${reason}”`}${on(event)}.`,
    ),
  ];
}

function prediction({ prediction: told }: Explanation): string[] {
  const { askedBy, at, endpoint, revision, model, modelVersion, requestId, status, durationMs, seal, error } = told;
  const outcome = error === null ? `answered ${status}` : `refused it with ${status} (${error})`;
  const asked =
    `At ${at}, ${askedBy} asked endpoint ${endpoint} (request ${requestId}), and revision ${revision}, ` +
    `version ${modelVersion} of ${model}, ${outcome} after ${durationMs} ms.`;
  switch (seal.status) {
    case 'not-sealed-yet':
      return [asked, 'The prediction is not sealed yet.'];
    case 'broken':
      return [asked, `The prediction cannot be proved: ${seal.reason}${on(seal.event)}.`];
    case 'verified':
      return [
        asked,
        `The prediction is as it was sealed: it is number ${seal.index + 1} of ${seal.count} under the root ${seal.root}${on(seal.event)}.`,
      ];
  }
}

function promoted({ alias, move, request, gates, approvals, decision }: PromotionSection): string[] {
  const from = move.fromVersion === null ? 'nobody' : `version ${move.fromVersion}`;
  return [
    `${alias} moved from ${from} to version ${move.toVersion} at ${move.at} by ${move.by}: “${move.reason}”${on(move.event)}.`,
    ...(request ? [`${request.by} had asked for that at ${request.at}: “${request.reason}”${on(request.event)}.`] : []),
    ...gates.map(
      ({ passed, explanation, event }) => `A gate was ${passed ? 'passed' : 'not passed'}: ${explanation}${on(event)}.`,
    ),
    ...approvals.map(({ by, at, comment, event }) => `${by} approved at ${at}: “${comment}”${on(event)}.`),
    ...(decision ? [`So it was promoted at ${decision.at}${on(decision.event)}.`] : []),
  ];
}

function trained(run: RunSection): string[] {
  const { runId, name, by, startedAt, status, finishedAt, params, metrics } = run;
  const ended = finishedAt === null ? '' : `, ${status} at ${finishedAt}`;
  const figures = list(Object.entries(metrics).map(([metric, { value }]) => `${metric} ${value}`));
  return [
    `Run ${runId} (${name}) was started at ${startedAt} by ${by}${ended}${on(run.event)}.`,
    ...(Object.keys(params).length > 0
      ? [`Its parameters: ${list(Object.entries(params).map(([key, value]) => `${key} ${value}`))}.`]
      : []),
    ...(figures === '' ? [] : [`It recorded ${figures}.`]),
  ];
}

function readData({ repository, ref, commitId, paths, commit }: DataSection): string {
  const what = `It read ${list(paths)} of repository ${repository}`;
  if (commitId === null) return `${what} at ${ref}, of which no commit is known.`;
  const named = ref === commitId ? '' : ` (${ref} then)`;
  if (!commit) return `${what} at commit ${commitId}${named}.`;
  return `${what} at commit ${commitId}${named}, which ${commit.by} made on ${commit.branch} at ${commit.at}: “${commit.message}”${on(commit.event)}.`;
}

function on({ service, seq, type }: EventRef): string {
  return ` [${service} ${seq}, ${type}]`;
}

function list(items: readonly string[]): string {
  const more = items.length - TOLD_MAX;
  return items.slice(0, TOLD_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
