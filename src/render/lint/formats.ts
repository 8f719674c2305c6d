/** The formats of a lint report: one file (or one of a file's functions) and one line each. Loaded when asked for. */
import type { LintRender } from "./report.ts";

export type LintFormat = { readonly name: string; readonly title: string; readonly load: () => Promise<LintRender> };

export const LINT_FORMATS: readonly LintFormat[] = [
  { name: "text", title: "for people", load: async () => (await import("./text.ts")).renderLintText },
  { name: "compact", title: "one line a finding", load: async () => (await import("./compact.ts")).renderCompact },
  { name: "json", title: "one document", load: async () => (await import("./json.ts")).renderLintJson },
  { name: "jsonl", title: "one finding a line", load: async () => (await import("./json.ts")).renderLintJsonLines },
  { name: "sarif", title: "SARIF 2.1.0, for code scanning", load: async () => (await import("./sarif.ts")).renderSarif },
  { name: "github", title: "workflow commands of GitHub Actions", load: async () => (await import("./github.ts")).renderGithub },
  { name: "gitlab", title: "GitLab's code quality report", load: async () => (await import("./gitlab.ts")).renderGitlab },
  { name: "junit", title: "JUnit's XML", load: async () => (await import("./xml.ts")).renderJunit },
  { name: "checkstyle", title: "Checkstyle's XML", load: async () => (await import("./xml.ts")).renderCheckstyle },
  { name: "markdown", title: "a table for a pull request", load: async () => (await import("./markdown.ts")).renderMarkdown },
];

export const LINT_FORMAT_NAMES: readonly string[] = LINT_FORMATS.map(({ name }) => name);
