//! What CI systems call what we record: a table for each, from its documentation.
//!
//! Rows about pull requests stand before those about branches: systems that name a fork's branch
//! like one of the repository's own would else make `refs/heads/main` of anybody's main.

use super::ci::{
    Fact::{Builder, Invocation, Path, Reference, Revision, Source, Started},
    System, row, unless,
};

pub(super) const SYSTEMS: [System; 5] = [GITHUB, GITLAB, BUILDKITE, JENKINS, CLOUD_BUILD];

/// <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>
const GITHUB: System = System {
    name: "GitHub Actions",
    marks: &["GITHUB_ACTIONS"],
    rows: &[
        row(Source, "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}"),
        row(Revision, "{GITHUB_SHA}"),
        row(Reference, "{GITHUB_REF}"),
        row(Builder, "{GITHUB_SERVER_URL}/{GITHUB_WORKFLOW_REF}"),
        row(
            Invocation,
            "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
        ),
    ],
};

/// <https://docs.gitlab.com/ci/variables/predefined_variables/>; the builder's name is that of
/// GitLab's own provenance.
const GITLAB: System = System {
    name: "GitLab CI",
    marks: &["GITLAB_CI"],
    rows: &[
        row(Source, "{CI_PROJECT_URL}"),
        row(Revision, "{CI_COMMIT_SHA}"),
        row(Reference, "{CI_MERGE_REQUEST_REF_PATH}"),
        row(Reference, "refs/tags/{CI_COMMIT_TAG}"),
        row(Reference, "refs/heads/{CI_COMMIT_BRANCH}"),
        row(Path, "{CI_CONFIG_PATH}"),
        row(Builder, "{CI_PROJECT_URL}/-/runners/{CI_RUNNER_ID}"),
        row(Invocation, "{CI_JOB_URL}"),
        row(Started, "{CI_JOB_STARTED_AT}"),
    ],
};

/// <https://buildkite.com/docs/pipelines/configure/environment-variables>; the branch of a tag's
/// build is the tag, that of a pull request is the fork's.
const BUILDKITE: System = System {
    name: "Buildkite",
    marks: &["BUILDKITE"],
    rows: &[
        row(Source, "{BUILDKITE_REPO}"),
        row(Revision, "{BUILDKITE_COMMIT}"),
        row(Reference, "refs/tags/{BUILDKITE_TAG}"),
        unless("BUILDKITE_PULL_REQUEST", Reference, "refs/heads/{BUILDKITE_BRANCH}"),
        row(Reference, "refs/pull/{BUILDKITE_PULL_REQUEST}/head"),
        row(
            Builder,
            "https://buildkite.com/{BUILDKITE_ORGANIZATION_SLUG}/{BUILDKITE_PIPELINE_SLUG}",
        ),
        row(Invocation, "{BUILDKITE_BUILD_URL}#{BUILDKITE_JOB_ID}"),
    ],
};

/// <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables>, the branch
/// by <https://plugins.jenkins.io/branch-api/>, the rest by <https://plugins.jenkins.io/git/>.
const JENKINS: System = System {
    name: "Jenkins",
    marks: &["JENKINS_URL", "BUILD_URL"],
    rows: &[
        row(Source, "{GIT_URL}"),
        row(Revision, "{GIT_COMMIT}"),
        row(Reference, "refs/pull/{CHANGE_ID}/head"),
        row(Reference, "refs/tags/{TAG_NAME}"),
        row(Reference, "refs/heads/{BRANCH_NAME}"),
        row(Reference, "refs/heads/{GIT_BRANCH#origin/}"),
        row(Builder, "{JENKINS_URL}"),
        row(Invocation, "{BUILD_URL}"),
    ],
};

/// <https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values>, with
/// `automapSubstitutions: true`, without which a step sees none of them. No variable names the
/// repository with its host.
const CLOUD_BUILD: System = System {
    name: "Cloud Build",
    marks: &["PROJECT_ID", "PROJECT_NUMBER", "BUILD_ID", "LOCATION"],
    rows: &[
        row(Revision, "{COMMIT_SHA}"),
        row(Reference, "refs/pull/{_PR_NUMBER}/head"),
        row(Reference, "refs/tags/{TAG_NAME}"),
        row(Reference, "refs/heads/{BRANCH_NAME}"),
        row(Path, "{TRIGGER_BUILD_CONFIG_PATH}"),
        row(
            Builder,
            "https://cloudbuild.googleapis.com/projects/{PROJECT_ID}/locations/{LOCATION}",
        ),
        row(
            Invocation,
            "https://cloudbuild.googleapis.com/projects/{PROJECT_ID}/locations/{LOCATION}/builds/{BUILD_ID}",
        ),
    ],
};
