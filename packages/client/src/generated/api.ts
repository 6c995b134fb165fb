// Written by `npm run -s openapi` from docs/api/openapi.json, printed by TypeScript 5.9.3. Do not edit.

export interface paths {
    readonly "/v1/keys": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Keys, by name; all of them without a limit
         * @description Role: viewer.
         */
        readonly get: operations["listKeys"];
        readonly put?: never;
        /**
         * Make a key at every node
         * @description Role: admin.
         */
        readonly post: operations["createKey"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/keys/{keyId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One key
         * @description Role: viewer.
         */
        readonly get: operations["getKey"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        /**
         * Change what the coordinator keeps of a key
         * @description Role: admin.
         */
        readonly patch: operations["changeKey"];
        readonly trace?: never;
    };
    readonly "/v1/keys/{keyId}/derived": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Public keys and addresses below a key, which nothing remembers
         * @description Role: viewer.
         */
        readonly get: operations["deriveKeys"];
        readonly put?: never;
        /**
         * Take child keys into use, up to 10,000 at once; those that are in use already stay as they are
         * @description Role: requester.
         */
        readonly post: operations["addChildren"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/keys/{keyId}/children": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Child keys in use, in the order in which they were added
         * @description Role: viewer.
         */
        readonly get: operations["listChildren"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/keys/{keyId}/children/{path}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One child key, by its path (m%2F0%2F5)
         * @description Role: viewer.
         */
        readonly get: operations["getChild"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        /**
         * Name, tag, suspend or revoke a child key. This coordinator asks nothing for it then; what nodes refuse is a freeze
         * @description Role: admin.
         */
        readonly patch: operations["changeChild"];
        readonly trace?: never;
    };
    readonly "/v1/keys/{keyId}:refresh": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Give every party a new share of the same key
         * @description Role: admin.
         */
        readonly post: operations["refreshKey"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/keys/{keyId}:reshare": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Give the nodes of the present cluster lock shares of the key
         * @description Role: admin.
         */
        readonly post: operations["reshareKey"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/operations": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Operations, newest first
         * @description Role: viewer.
         */
        readonly get: operations["listOperations"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/operations/{operationId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One operation; with waitMs when it has ended, or then
         * @description Role: viewer.
         */
        readonly get: operations["getOperation"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Signing requests, newest first
         * @description Role: viewer.
         */
        readonly get: operations["listSigningRequests"];
        readonly put?: never;
        /**
         * Ask for signatures; with waitMs the request when it has ended, or then
         * @description Role: requester.
         */
        readonly post: operations["createSigningRequest"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests/{requestId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One request; with waitMs when it has ended, or then
         * @description Role: viewer.
         */
        readonly get: operations["getSigningRequest"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests/{requestId}/attempts": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Who tried to sign it, and how that ended
         * @description Role: viewer.
         */
        readonly get: operations["listAttempts"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests/{requestId}/approvals": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Carry an approval to the nodes, which check it
         * @description Role: viewer.
         */
        readonly post: operations["approveSigningRequest"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests/{requestId}:cancel": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Make no further attempt
         * @description Role: requester.
         */
        readonly post: operations["cancelSigningRequest"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What happens, as server-sent events
         * @description Role: viewer.
         */
        readonly get: operations["streamEvents"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests/{requestId}/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What happens to one request, from its beginning to its end
         * @description Role: viewer.
         */
        readonly get: operations["streamSigningRequestEvents"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Webhooks, newest first
         * @description Role: admin.
         */
        readonly get: operations["listWebhooks"];
        readonly put?: never;
        /**
         * Have events sent to a URL; the secret that they are signed with is in the answer and nowhere else
         * @description Role: admin.
         */
        readonly post: operations["createWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One webhook
         * @description Role: admin.
         */
        readonly get: operations["getWebhook"];
        readonly put?: never;
        readonly post?: never;
        /**
         * Forget a webhook and its deliveries
         * @description Role: admin.
         */
        readonly delete: operations["deleteWebhook"];
        readonly options?: never;
        readonly head?: never;
        /**
         * Change a webhook; what happens while it is disabled is never sent to it
         * @description Role: admin.
         */
        readonly patch: operations["changeWebhook"];
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}:rotate": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Sign with a new secret; for a while with the one before, too
         * @description Role: admin.
         */
        readonly post: operations["rotateWebhookSecret"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}:test": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Send an event that says nothing else
         * @description Role: admin.
         */
        readonly post: operations["testWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/deliveries": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What was sent to a webhook and what became of it, newest first
         * @description Role: admin.
         */
        readonly get: operations["listDeliveries"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhookId}/deliveries/{deliveryId}:resend": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Send an event once more, under the same event id, in a delivery of its own
         * @description Role: admin.
         */
        readonly post: operations["resendDelivery"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/api-keys": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * API keys of the tenant, newest first, revoked ones too
         * @description Role: admin.
         */
        readonly get: operations["listApiKeys"];
        readonly put?: never;
        /**
         * Make an API key; its secret is in the answer and nowhere else
         * @description Role: admin.
         */
        readonly post: operations["createApiKey"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/api-keys/{name}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One API key
         * @description Role: admin.
         */
        readonly get: operations["getApiKey"];
        readonly put?: never;
        readonly post?: never;
        /**
         * Take an API key back, for ever: at once here, within seconds at other replicas
         * @description Role: admin.
         */
        readonly delete: operations["revokeApiKey"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/api-keys/{name}:rotate": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Give an API key a new secret; the one before is taken for a while
         * @description Role: admin.
         */
        readonly post: operations["rotateApiKey"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/api-calls": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Who has called what, and how it ended, newest first
         * @description Role: admin.
         */
        readonly get: operations["listApiCalls"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/policies": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The policy in force at each node
         * @description Role: viewer.
         */
        readonly get: operations["listPolicies"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/approvers": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Who may approve
         * @description Role: viewer.
         */
        readonly get: operations["listApprovers"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/policies:simulate": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Ask the nodes what they would say now of a request, without approvals; nothing is kept
         * @description Role: viewer.
         */
        readonly post: operations["simulate"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests/{requestId}/statement": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What each node made of the request: what approvers sign
         * @description Role: viewer.
         */
        readonly get: operations["getStatement"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/freezes": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What is frozen, and at which nodes
         * @description Role: viewer.
         */
        readonly get: operations["listFreezes"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/nodes/{index}/log/checkpoint": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The signed checkpoint of a node's log
         * @description Role: viewer.
         */
        readonly get: operations["getLogCheckpoint"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/nodes/{index}/log/tile/{path}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Hashes of a node's log
         * @description Role: viewer.
         */
        readonly get: operations["getLogTile"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/signing-requests/{requestId}/receipt": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Proof of what was signed and why, by the nodes that signed
         * @description Role: viewer.
         */
        readonly get: operations["getReceipt"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/nodes": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Every node
         * @description Role: viewer.
         */
        readonly get: operations["listNodes"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/nodes/{index}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One node, by its index
         * @description Role: viewer.
         */
        readonly get: operations["getNode"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/healthz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Whether it runs
         * @description Role: nobody.
         */
        readonly get: operations["getHealth"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/readyz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Whether a quorum of nodes is connected
         * @description Role: nobody.
         */
        readonly get: operations["getReadiness"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/metrics": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What it measures, in the format of Prometheus
         * @description Role: viewer.
         */
        readonly get: operations["getMetrics"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        readonly AddChildren: {
            readonly prefix?: string;
            readonly from?: number;
            readonly count?: number;
            readonly label?: string;
            readonly tags?: readonly string[];
            readonly items?: readonly {
                readonly path: string;
                readonly label?: string;
                readonly tags?: readonly string[];
            }[];
        };
        readonly ApiCall: {
            /** @description ISO 8601, UTC */
            readonly at: string;
            readonly caller: string | null;
            readonly method: string;
            readonly route: string | null;
            readonly status: number;
            readonly durationMs: number;
            /** @description x-request-id of the answer */
            readonly requestId: string;
        };
        readonly ApiCallList: {
            readonly items: readonly components["schemas"]["ApiCall"][];
            readonly nextCursor: string | null;
        };
        readonly ApiKey: {
            readonly name: string;
            readonly tenant: string;
            /** @enum {unknown} */
            readonly role: "viewer" | "requester" | "admin";
            readonly createdBy: string;
            /** @description ISO 8601, UTC */
            readonly createdAt: string;
            readonly oldUntil: string | null;
            readonly revokedAt: string | null;
            readonly lastUsedAt: string | null;
        };
        readonly ApiKeyList: {
            readonly items: readonly components["schemas"]["ApiKey"][];
            readonly nextCursor: string | null;
        };
        readonly ApprovalAnswers: {
            readonly nodes: readonly {
                readonly node: number;
                readonly code: string;
            }[];
        };
        readonly Approver: {
            readonly id: string;
            readonly groups: readonly string[];
            readonly keys: readonly ("identity" | "webauthn")[];
            readonly nodes: readonly number[];
        };
        /** @description Who may approve, and at which nodes: of an approver that nodes know differently there are several */
        readonly ApproverList: {
            readonly items: readonly components["schemas"]["Approver"][];
        };
        readonly Attempt: {
            readonly attempt: number;
            readonly signers: readonly number[];
            /** @enum {unknown} */
            readonly outcome: "running" | "signed" | "failed" | "interrupted";
            readonly code: string | null;
            readonly culprits: readonly number[];
            readonly waitingFor: readonly number[];
            readonly refusedBy: readonly number[];
            readonly bytesOnWire: number;
            /** @description ISO 8601, UTC */
            readonly startedAt: string;
            readonly endedAt: string | null;
        };
        readonly AttemptList: {
            readonly items: readonly components["schemas"]["Attempt"][];
        };
        readonly BitcoinAddresses: {
            readonly p2pkh: string;
            readonly p2shP2wpkh: string;
            readonly p2wpkh: string;
        };
        readonly ChangeChild: {
            readonly label?: string | null;
            readonly tags?: readonly string[];
            /** @enum {unknown} */
            readonly state?: "active" | "suspended" | "revoked";
        };
        readonly ChangeKey: {
            readonly refreshEveryDays?: number | null;
            readonly role?: string | null;
            readonly label?: string | null;
            readonly tags?: readonly string[];
        };
        readonly ChangeWebhook: {
            /** @description https, to an address of the internet, unless the settings allow others */
            readonly url?: string;
            readonly types?: readonly ("signing_request.created" | "signing_request.decoded" | "signing_request.pending_approval" | "signing_request.queued" | "signing_request.signing" | "signing_request.signed" | "signing_request.denied" | "signing_request.rejected" | "signing_request.expired" | "signing_request.failed" | "signing_request.cancelled" | "key.active" | "key.renewed" | "key.phase_changed" | "operation.created" | "operation.running" | "operation.succeeded" | "operation.failed" | "node.able" | "node.unable" | "webhook.disabled" | "webhook.test" | "signing_request.*" | "key.*" | "operation.*" | "node.*" | "webhook.*")[] | null;
            readonly keyId?: string | null;
            readonly label?: string | null;
            /** @enum {unknown} */
            readonly state?: "enabled" | "disabled";
        };
        readonly ChildKey: {
            readonly path: string;
            readonly publicKey: string;
            readonly address: string;
            readonly bitcoin: components["schemas"]["BitcoinAddresses"];
            readonly label: string | null;
            readonly tags: readonly string[];
            /** @enum {unknown} */
            readonly state: "active" | "suspended" | "revoked";
            /** @description ISO 8601, UTC */
            readonly addedAt: string;
        };
        readonly ChildKeyList: {
            readonly items: readonly components["schemas"]["ChildKey"][];
            readonly nextCursor: string | null;
        };
        readonly ChildrenAdded: {
            readonly added: number;
            /** @description That were there before, and are as they were */
            readonly known: number;
        };
        readonly CreateApiKey: {
            readonly name: string;
            /** @enum {unknown} */
            readonly role: "viewer" | "requester" | "admin";
            /** @description Only the administrator of the settings may name another one than its own */
            readonly tenant?: string;
        };
        readonly CreateApproval: {
            readonly statement: string;
            /** @enum {unknown} */
            readonly decision: "approve" | "reject";
            readonly approver: string;
            readonly atMs: number;
            readonly signature: string;
            readonly authenticatorData?: string;
            readonly clientData?: string;
            readonly pq?: string;
        };
        readonly CreateKey: {
            readonly keyId: string;
            readonly quorum?: {
                readonly required: number;
                readonly of: number;
            };
        };
        readonly CreateSigningRequest: {
            readonly keyId: string;
            readonly derivationPath?: string;
            readonly payload?: components["schemas"]["Payload"];
            readonly items?: readonly {
                readonly payload: components["schemas"]["Payload"];
                readonly derivationPath?: string;
            }[];
            readonly deadlineMs?: number;
            readonly signed?: components["schemas"]["SignedTerms"];
        };
        readonly CreateWebhook: {
            /** @description https, to an address of the internet, unless the settings allow others */
            readonly url: string;
            readonly types?: readonly ("signing_request.created" | "signing_request.decoded" | "signing_request.pending_approval" | "signing_request.queued" | "signing_request.signing" | "signing_request.signed" | "signing_request.denied" | "signing_request.rejected" | "signing_request.expired" | "signing_request.failed" | "signing_request.cancelled" | "key.active" | "key.renewed" | "key.phase_changed" | "operation.created" | "operation.running" | "operation.succeeded" | "operation.failed" | "node.able" | "node.unable" | "webhook.disabled" | "webhook.test" | "signing_request.*" | "key.*" | "operation.*" | "node.*" | "webhook.*")[] | null;
            readonly keyId?: string | null;
            readonly label?: string | null;
        };
        readonly Delivery: {
            readonly deliveryId: string;
            readonly webhookId: string;
            /**
             * @description pending: an attempt is under way, or `nextAt`. failed: there is no further attempt
             * @enum {unknown}
             */
            readonly state: "pending" | "delivered" | "failed";
            readonly attempts: number;
            readonly nextAt: string | null;
            readonly lastAt: string | null;
            readonly lastStatus: number | null;
            readonly lastCode: string | null;
            readonly endedAt: string | null;
            /** @description ISO 8601, UTC */
            readonly createdAt: string;
            readonly event: components["schemas"]["Event"];
        };
        readonly DeliveryList: {
            readonly items: readonly components["schemas"]["Delivery"][];
            readonly nextCursor: string | null;
        };
        readonly DerivedKey: {
            readonly path: string;
            readonly publicKey: string;
            readonly address: string;
            readonly bitcoin: components["schemas"]["BitcoinAddresses"];
        };
        readonly Event: {
            /** @description The same wherever and however often the event is told */
            readonly id: string;
            /** @enum {unknown} */
            readonly type: "signing_request.created" | "signing_request.decoded" | "signing_request.pending_approval" | "signing_request.queued" | "signing_request.signing" | "signing_request.signed" | "signing_request.denied" | "signing_request.rejected" | "signing_request.expired" | "signing_request.failed" | "signing_request.cancelled" | "key.active" | "key.renewed" | "key.phase_changed" | "operation.created" | "operation.running" | "operation.succeeded" | "operation.failed" | "node.able" | "node.unable" | "webhook.disabled" | "webhook.test";
            /** @description ISO 8601, UTC */
            readonly timestamp: string;
            /** @description The id of what it happened to */
            readonly subject: string;
            readonly keyId: string | null;
            /** @description As the subject was then, without payloads */
            readonly data: {
                readonly [key: string]: unknown;
            };
        };
        readonly Freeze: {
            readonly id: string;
            readonly scope: string;
            readonly reason: string;
            readonly by: string;
            /** @description ISO 8601, UTC */
            readonly at: string;
            readonly isActive: boolean;
            readonly thawedBy: readonly string[];
            readonly thawsRequired: number;
            readonly nodes: readonly number[];
        };
        readonly FreezeList: {
            readonly items: readonly components["schemas"]["Freeze"][];
        };
        readonly Health: {
            /** @enum {string} */
            readonly status: "ok";
        };
        readonly Key: {
            readonly keyId: string;
            readonly tenant: string;
            readonly role: string | null;
            readonly label: string | null;
            readonly tags: readonly string[];
            readonly publicKey: string;
            readonly chainCode: string;
            /** @description BIP32, with this key as the root */
            readonly xpub: string;
            /** @description EVM address, EIP-55 */
            readonly address: string;
            readonly bitcoin: components["schemas"]["BitcoinAddresses"];
            readonly threshold: number;
            readonly parties: readonly number[];
            readonly backups: readonly {
                readonly node: number;
                readonly lastBackupEpoch: number | null;
            }[];
            readonly epoch: number;
            readonly state: string;
            readonly phases: readonly {
                readonly node: number;
                readonly phase: string;
            }[];
            readonly erasure: {
                readonly erasedBy: readonly number[];
                readonly sharesLeftMax: number;
                /** @description fewer shares than a signature needs can still exist */
                readonly belowThreshold: boolean;
            } | null;
            readonly refreshEveryDays: number | null;
            readonly refreshedAt: string | null;
            readonly nextRefreshAt: string | null;
        };
        readonly KeyList: {
            readonly items: readonly components["schemas"]["Key"][];
            readonly nextCursor: string | null;
        };
        readonly NewApiKey: {
            readonly name: string;
            readonly tenant: string;
            /** @enum {unknown} */
            readonly role: "viewer" | "requester" | "admin";
            readonly createdBy: string;
            /** @description ISO 8601, UTC */
            readonly createdAt: string;
            readonly oldUntil: string | null;
            readonly revokedAt: string | null;
            readonly lastUsedAt: string | null;
            /** @description Told once: what is kept is its hash */
            readonly secret: string;
        };
        readonly NewWebhook: {
            readonly webhookId: string;
            readonly url: string;
            readonly types: readonly string[] | null;
            readonly keyId: string | null;
            readonly label: string | null;
            /** @enum {unknown} */
            readonly state: "enabled" | "disabled";
            readonly disabledCode: string | null;
            readonly failingSince: string | null;
            readonly oldSecretUntil: string | null;
            readonly createdBy: string;
            /** @description ISO 8601, UTC */
            readonly createdAt: string;
            /** @description Told once. What is sent is signed by it (Standard Webhooks) */
            readonly secret: string;
        };
        readonly Node: {
            readonly index: number;
            readonly name: string;
            readonly peerId: string;
            readonly link: {
                readonly up: boolean;
                readonly bytesSent: number;
                readonly bytesReceived: number;
                readonly reconnects: number;
                readonly roundTripMs: number | null;
            };
            readonly availability: {
                readonly able: boolean;
                readonly reasons: readonly {
                    readonly code: string;
                    readonly detail: string;
                }[];
            };
            readonly status: components["schemas"]["NodeReport"] | null;
        };
        readonly NodeList: {
            readonly items: readonly components["schemas"]["Node"][];
        };
        readonly NodeReport: {
            readonly version: string;
            /** @description at least one HSM is up */
            readonly hsmOk: boolean;
            readonly hsms: readonly {
                readonly name: string;
                /** @description up, down, refused (waits for a person) or out (taken out by its operator) */
                readonly state: string;
                /** @description ISO 8601, UTC */
                readonly since: string;
                readonly lastCode: string | null;
                readonly failures: number;
                /** @description median of its last answers */
                readonly latencyMs: number;
                /** @description records sealed without it since the node started */
                readonly missed: number;
                /** @description records of the node that it cannot open, because it is no recipient */
                readonly short: number;
            }[];
            readonly bytesSent: number;
            readonly bytesReceived: number;
            readonly loopP99Us: number;
            readonly loopMaxUs: number;
            readonly cpuMs: number;
            readonly keys: readonly {
                readonly keyId: string;
                readonly epoch: number;
                readonly publicKey: string;
                readonly state: string;
                readonly lastBackupEpoch: number | null;
            }[];
            readonly pairs: readonly {
                readonly peer: number;
                readonly pairEpoch: number;
                readonly state: string;
                readonly code: string | null;
                /** @description correlations that are ready for signing */
                readonly stock: number;
            }[];
            readonly pool: {
                readonly made: number;
                readonly used: number;
                /** @description wanted for a signature, and not there */
                readonly missed: number;
                /** @description named by a peer, and not held by the node */
                readonly mismatched: number;
                /** @description wiped without having been used */
                readonly dropped: number;
                /** @description sessions that made some */
                readonly refills: number;
                readonly declined: number;
                readonly failed: number;
            };
            /** @description how far its clock was ahead of that of the coordinator */
            readonly clockOffsetMs: number;
            /** @description in effect there */
            readonly freezes: number;
            /** @description of the policy in force there */
            readonly policySequence: number;
            /** @description of its log */
            readonly audit: {
                readonly entries: number;
                /** @description that its last checkpoint covers */
                readonly checkpointEntries: number;
                /** @description other nodes that have cosigned it */
                readonly cosigners: number;
            };
            /** @description ISO 8601, UTC */
            readonly reportedAt: string;
        };
        readonly NodeStatement: {
            /** @description Its exact bytes (docs/spec/statement.md) */
            readonly statement: string;
            readonly statementHash: string;
            readonly requester: string;
            readonly notBefore: string;
            readonly expiresAt: string;
            readonly reason: string;
            readonly approvedBy: readonly string[];
            readonly rejectedBy: readonly string[];
            readonly verdict: string;
        };
        readonly NodeVerdict: {
            readonly node: number;
            readonly allowed: boolean;
            readonly code: string;
            readonly reason: string;
            readonly rule: string;
        };
        readonly Operation: {
            readonly operationId: string;
            /** @enum {unknown} */
            readonly kind: "key.create" | "key.refresh" | "key.reshare";
            readonly keyId: string;
            readonly requestedBy: string;
            /** @enum {unknown} */
            readonly state: "pending" | "running" | "succeeded" | "failed";
            readonly result: components["schemas"]["Key"] | null;
            readonly error: components["schemas"]["Problem"] | null;
            /** @description ISO 8601, UTC */
            readonly createdAt: string;
            readonly endedAt: string | null;
        };
        readonly OperationAccepted: {
            readonly operationId: string;
        };
        readonly OperationList: {
            readonly items: readonly components["schemas"]["Operation"][];
            readonly nextCursor: string | null;
        };
        readonly Payload: {
            readonly type: string;
            readonly bytes: string;
        };
        readonly Policy: {
            readonly sequence: number;
            readonly hash: string;
            readonly rules: readonly {
                readonly name: string;
                readonly effect: string;
            }[];
            readonly requesters: readonly string[] | null;
            readonly approvers: readonly {
                readonly id: string;
                readonly groups: readonly string[];
                readonly keys: readonly ("identity" | "webauthn")[];
            }[];
        };
        /** @description The policy in force at each connected node: they judge by their own */
        readonly PolicyList: {
            readonly items: readonly {
                readonly node: number;
                readonly policy: components["schemas"]["Policy"] | null;
                readonly code: string | null;
            }[];
        };
        readonly Problem: {
            readonly type: string;
            readonly title: string;
            readonly status: number;
            readonly code: string;
            readonly detail: string;
            readonly retriable: boolean;
            readonly requestId: string;
            readonly nodeVerdicts?: readonly components["schemas"]["NodeVerdict"][];
        };
        readonly Ready: {
            /** @enum {string} */
            readonly status: "ready";
            readonly nodesUp: number;
            readonly nodesNeeded: number;
        };
        readonly Receipt: {
            /** @enum {string} */
            readonly format: "conclave-receipt/1";
        } & {
            readonly [key: string]: unknown;
        };
        readonly RotateApiKey: {
            /** @description How long the secret before is taken; 86400000 without it */
            readonly overlapMs?: number;
        };
        readonly RotateWebhook: {
            /** @description How long what is sent is signed by the secret before, too; 86400000 without it */
            readonly overlapMs?: number;
        };
        readonly Signature: {
            readonly derivationPath: string;
            readonly publicKey: string;
            readonly digest: string;
            readonly signature: string | null;
            readonly recovery: number | null;
        };
        readonly SignedTerms: {
            readonly requester: string;
            readonly nonce: string;
            readonly notBeforeMs: number;
            readonly expiresAtMs: number;
            readonly signature: string;
        };
        readonly SigningItem: {
            readonly derivationPath: string;
            readonly publicKey: string;
            readonly from: string | null;
            readonly payload: {
                readonly type: string;
                readonly bytes: string;
            };
            readonly digest: string | null;
            readonly summary: components["schemas"]["Summary"];
            readonly signature: string | null;
            readonly recovery: number | null;
            readonly signatures: readonly components["schemas"]["Signature"][];
            readonly signedTransaction: string | null;
            readonly signedPsbt: string | null;
        };
        readonly SigningRequest: {
            readonly requestId: string;
            readonly keyId: string;
            readonly items: readonly components["schemas"]["SigningItem"][];
            readonly derivationPath: string | null;
            readonly publicKey: string | null;
            readonly from: string | null;
            readonly payload: {
                readonly type: string;
                readonly bytes: string;
            } | null;
            readonly digest: string | null;
            readonly summary: components["schemas"]["Summary"] | null;
            readonly signature: string | null;
            readonly recovery: number | null;
            readonly signatures: readonly components["schemas"]["Signature"][] | null;
            readonly signedTransaction: string | null;
            readonly signedPsbt: string | null;
            readonly state: components["schemas"]["SigningState"];
            readonly cancelRequested: boolean;
            readonly requester: string;
            readonly nodeVerdicts: readonly components["schemas"]["NodeVerdict"][];
            readonly attempts: readonly components["schemas"]["Attempt"][];
            readonly signers: readonly number[] | null;
            readonly error: components["schemas"]["Problem"] | null;
            /** @description ISO 8601, UTC */
            readonly createdAt: string;
            /** @description ISO 8601, UTC */
            readonly deadlineAt: string;
            readonly endedAt: string | null;
        };
        readonly SigningRequestAccepted: {
            readonly requestId: string;
            readonly state: components["schemas"]["SigningState"];
            readonly digest: string | null;
            readonly summary: components["schemas"]["Summary"] | null;
            readonly items: readonly {
                readonly digest: string | null;
                readonly summary: components["schemas"]["Summary"];
            }[];
        };
        readonly SigningRequestList: {
            readonly items: readonly components["schemas"]["SigningRequest"][];
            readonly nextCursor: string | null;
        };
        /** @enum {unknown} */
        readonly SigningState: "created" | "decoded" | "pending_approval" | "queued" | "signing" | "signed" | "denied" | "rejected" | "expired" | "failed" | "cancelled";
        readonly Simulate: {
            readonly keyId: string;
            readonly derivationPath?: string;
            readonly payload?: components["schemas"]["Payload"];
            readonly items?: readonly {
                readonly payload: components["schemas"]["Payload"];
                readonly derivationPath?: string;
            }[];
            readonly signed?: components["schemas"]["SignedTerms"];
        };
        readonly Simulation: {
            readonly items: readonly components["schemas"]["NodeVerdict"][];
        };
        /** @description What each connected node of the key made of the request: what approvers sign */
        readonly StatementList: {
            readonly items: readonly {
                readonly node: number;
                readonly statement: components["schemas"]["NodeStatement"] | null;
                readonly code: string | null;
            }[];
        };
        readonly Summary: readonly {
            readonly label: string;
            readonly value: string;
        }[];
        readonly Webhook: {
            readonly webhookId: string;
            readonly url: string;
            readonly types: readonly string[] | null;
            readonly keyId: string | null;
            readonly label: string | null;
            /** @enum {unknown} */
            readonly state: "enabled" | "disabled";
            readonly disabledCode: string | null;
            readonly failingSince: string | null;
            readonly oldSecretUntil: string | null;
            readonly createdBy: string;
            /** @description ISO 8601, UTC */
            readonly createdAt: string;
        };
        readonly WebhookList: {
            readonly items: readonly components["schemas"]["Webhook"][];
            readonly nextCursor: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly listKeys: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
                readonly tag?: string;
                readonly role?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["KeyList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly createKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description A fresh one for each call that is meant. The same key and body get the first answer again. */
                readonly "idempotency-key": string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateKey"];
            };
        };
        readonly responses: {
            /** @description Accepted, and kept: an operation goes on with it */
            readonly 202: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationAccepted"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_IDEMPOTENCY_KEY`: The Idempotency-Key header is malformed. `BAD_JSON`: The body is not JSON. `BAD_KEY_ID`: Not a key id. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `BAD_THRESHOLD`: Not a possible quorum. `DUPLICATE_FIELD`: A field is named twice. `IDEMPOTENCY_KEY_REQUIRED`: The Idempotency-Key header is required. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_IDEMPOTENCY_KEY" | "BAD_JSON" | "BAD_KEY_ID" | "BAD_QUERY" | "BAD_REQUEST" | "BAD_THRESHOLD" | "DUPLICATE_FIELD" | "IDEMPOTENCY_KEY_REQUIRED" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This idempotency key was used with another body. `KEY_BEING_CREATED`: A key with this id is being created. `KEY_EXISTS`: A key with this id exists */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "IDEMPOTENCY_CONFLICT" | "KEY_BEING_CREATED" | "KEY_EXISTS";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls. `TOO_MANY_OPEN`: Too many requests are open */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED" | "TOO_MANY_OPEN";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `DRAINING`: The coordinator takes no new requests. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DRAINING" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Key"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly changeKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ChangeKey"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Key"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly deriveKeys: {
        readonly parameters: {
            readonly query?: {
                readonly path?: string;
                readonly prefix?: string;
                readonly from?: number;
                readonly count?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DerivedKey"] | {
                        readonly items: readonly components["schemas"]["DerivedKey"][];
                    };
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly addChildren: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["AddChildren"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChildrenAdded"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `TOO_MANY`: More than this coordinator keeps */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "TOO_MANY";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listChildren: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
                readonly tag?: string;
                readonly state?: "active" | "suspended" | "revoked";
                readonly address?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChildKeyList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getChild: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly keyId: string;
                readonly path: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChildKey"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `CHILD_NOT_FOUND`: No such child key was added. `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "CHILD_NOT_FOUND" | "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly changeChild: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly keyId: string;
                readonly path: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ChangeChild"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChildKey"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `CHILD_NOT_FOUND`: No such child key was added. `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "CHILD_NOT_FOUND" | "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `CHILD_INACTIVE`: The child key is suspended or revoked */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "CHILD_INACTIVE";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly refreshKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description A fresh one for each call that is meant. The same key and body get the first answer again. */
                readonly "idempotency-key": string;
            };
            readonly path: {
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": Record<string, never>;
            };
        };
        readonly responses: {
            /** @description Accepted, and kept: an operation goes on with it */
            readonly 202: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationAccepted"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_IDEMPOTENCY_KEY`: The Idempotency-Key header is malformed. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `BAD_THRESHOLD`: Not a possible quorum. `DUPLICATE_FIELD`: A field is named twice. `IDEMPOTENCY_KEY_REQUIRED`: The Idempotency-Key header is required. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_IDEMPOTENCY_KEY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "BAD_THRESHOLD" | "DUPLICATE_FIELD" | "IDEMPOTENCY_KEY_REQUIRED" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This idempotency key was used with another body. `KEY_BUSY`: Another operation on this key is open */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "IDEMPOTENCY_CONFLICT" | "KEY_BUSY";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls. `TOO_MANY_OPEN`: Too many requests are open */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED" | "TOO_MANY_OPEN";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `DRAINING`: The coordinator takes no new requests. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DRAINING" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly reshareKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description A fresh one for each call that is meant. The same key and body get the first answer again. */
                readonly "idempotency-key": string;
            };
            readonly path: {
                readonly keyId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": {
                    readonly quorum?: {
                        readonly required: number;
                    };
                };
            };
        };
        readonly responses: {
            /** @description Accepted, and kept: an operation goes on with it */
            readonly 202: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationAccepted"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_IDEMPOTENCY_KEY`: The Idempotency-Key header is malformed. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `BAD_THRESHOLD`: Not a possible quorum. `DUPLICATE_FIELD`: A field is named twice. `IDEMPOTENCY_KEY_REQUIRED`: The Idempotency-Key header is required. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_IDEMPOTENCY_KEY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "BAD_THRESHOLD" | "DUPLICATE_FIELD" | "IDEMPOTENCY_KEY_REQUIRED" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `IDEMPOTENCY_CONFLICT`: This idempotency key was used with another body. `KEY_BUSY`: Another operation on this key is open */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "IDEMPOTENCY_CONFLICT" | "KEY_BUSY";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls. `TOO_MANY_OPEN`: Too many requests are open */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED" | "TOO_MANY_OPEN";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `DRAINING`: The coordinator takes no new requests. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DRAINING" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listOperations: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
                readonly fromMs?: number;
                readonly toMs?: number;
                readonly keyId?: string;
                readonly state?: "pending" | "running" | "succeeded" | "failed";
                readonly requestedBy?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getOperation: {
        readonly parameters: {
            readonly query?: {
                readonly waitMs?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly operationId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `OPERATION_NOT_FOUND`: No such operation */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "OPERATION_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listSigningRequests: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
                readonly fromMs?: number;
                readonly toMs?: number;
                readonly keyId?: string;
                readonly state?: components["schemas"]["SigningState"];
                readonly requester?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SigningRequestList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly createSigningRequest: {
        readonly parameters: {
            readonly query?: {
                readonly waitMs?: number;
            };
            readonly header: {
                /** @description A fresh one for each call that is meant. The same key and body get the first answer again. */
                readonly "idempotency-key": string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateSigningRequest"];
            };
        };
        readonly responses: {
            /** @description Accepted, and kept */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SigningRequest"] | components["schemas"]["SigningRequestAccepted"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_HEX`: Not hexadecimal. `BAD_IDEMPOTENCY_KEY`: The Idempotency-Key header is malformed. `BAD_JSON`: The body is not JSON. `BAD_KEY_ID`: Not a key id. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `IDEMPOTENCY_KEY_REQUIRED`: The Idempotency-Key header is required. `PAYLOAD_UNDECODABLE`: What cannot be decoded is not signed. `TOO_MANY_SIGNATURES`: More signatures than a request may have. `UNKNOWN_FIELD`: A field is not known. `UNKNOWN_PAYLOAD_TYPE`: No decoder for this payload type */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_HEX" | "BAD_IDEMPOTENCY_KEY" | "BAD_JSON" | "BAD_KEY_ID" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "IDEMPOTENCY_KEY_REQUIRED" | "PAYLOAD_UNDECODABLE" | "TOO_MANY_SIGNATURES" | "UNKNOWN_FIELD" | "UNKNOWN_PAYLOAD_TYPE";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `CHILD_INACTIVE`: The child key is suspended or revoked. `IDEMPOTENCY_CONFLICT`: This idempotency key was used with another body. `REQUEST_EXISTS`: This signed request was sent before */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "CHILD_INACTIVE" | "IDEMPOTENCY_CONFLICT" | "REQUEST_EXISTS";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large. `PAYLOAD_TOO_LARGE`: The payload is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE" | "PAYLOAD_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls. `TOO_MANY_OPEN`: Too many requests are open */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED" | "TOO_MANY_OPEN";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `DRAINING`: The coordinator takes no new requests. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DRAINING" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getSigningRequest: {
        readonly parameters: {
            readonly query?: {
                readonly waitMs?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly requestId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SigningRequest"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `REQUEST_NOT_FOUND`: No such signing request */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "REQUEST_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listAttempts: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly requestId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AttemptList"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `REQUEST_NOT_FOUND`: No such signing request */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "REQUEST_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly approveSigningRequest: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly requestId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateApproval"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ApprovalAnswers"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `REQUEST_NOT_FOUND`: No such signing request */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "REQUEST_NOT_FOUND";
                    };
                };
            };
            /** @description `APPROVAL_REFUSED`: No node took the approval. `REQUEST_ENDED`: The signing request has already ended */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "APPROVAL_REFUSED" | "REQUEST_ENDED";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly cancelSigningRequest: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly requestId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SigningRequest"];
                };
            };
            /** @description `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `REQUEST_NOT_FOUND`: No such signing request */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "REQUEST_NOT_FOUND";
                    };
                };
            };
            /** @description `REQUEST_ENDED`: The signing request has already ended */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "REQUEST_ENDED";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly streamEvents: {
        readonly parameters: {
            readonly query?: {
                /** @description A type, or `signing_request.*`; may be given several times */
                readonly type?: ("signing_request.created" | "signing_request.decoded" | "signing_request.pending_approval" | "signing_request.queued" | "signing_request.signing" | "signing_request.signed" | "signing_request.denied" | "signing_request.rejected" | "signing_request.expired" | "signing_request.failed" | "signing_request.cancelled" | "key.active" | "key.renewed" | "key.phase_changed" | "operation.created" | "operation.running" | "operation.succeeded" | "operation.failed" | "node.able" | "node.unable" | "webhook.disabled" | "webhook.test" | "signing_request.*" | "key.*" | "operation.*" | "node.*" | "webhook.*") | readonly ("signing_request.created" | "signing_request.decoded" | "signing_request.pending_approval" | "signing_request.queued" | "signing_request.signing" | "signing_request.signed" | "signing_request.denied" | "signing_request.rejected" | "signing_request.expired" | "signing_request.failed" | "signing_request.cancelled" | "key.active" | "key.renewed" | "key.phase_changed" | "operation.created" | "operation.running" | "operation.succeeded" | "operation.failed" | "node.able" | "node.unable" | "webhook.disabled" | "webhook.test" | "signing_request.*" | "key.*" | "operation.*" | "node.*" | "webhook.*")[];
                readonly keyId?: string;
                /** @description Where it begins without Last-Event-ID; `now` without this */
                readonly from?: "now" | "oldest";
            };
            readonly header?: {
                /** @description Goes on after this event */
                readonly "last-event-id"?: string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/event-stream": string;
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `EVENT_NOT_FOUND`: No such event */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "EVENT_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls. `TOO_MANY_STREAMS`: Too many streams are open */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED" | "TOO_MANY_STREAMS";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `DRAINING`: The coordinator takes no new requests. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DRAINING" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly streamSigningRequestEvents: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description Goes on after this event */
                readonly "last-event-id"?: string;
            };
            readonly path: {
                readonly requestId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/event-stream": string;
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `EVENT_NOT_FOUND`: No such event. `REQUEST_NOT_FOUND`: No such signing request */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "EVENT_NOT_FOUND" | "REQUEST_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls. `TOO_MANY_STREAMS`: Too many streams are open */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED" | "TOO_MANY_STREAMS";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `DRAINING`: The coordinator takes no new requests. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DRAINING" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listWebhooks: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["WebhookList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly createWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateWebhook"];
            };
        };
        readonly responses: {
            /** @description Accepted, and kept */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NewWebhook"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `BAD_WEBHOOK_URL`: Not a URL that events are sent to. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_QUERY" | "BAD_REQUEST" | "BAD_WEBHOOK_URL" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `TOO_MANY`: More than this coordinator keeps */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "TOO_MANY";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Webhook"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `WEBHOOK_NOT_FOUND`: No such webhook */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "WEBHOOK_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly deleteWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Webhook"];
                };
            };
            /** @description `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `WEBHOOK_NOT_FOUND`: No such webhook */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "WEBHOOK_NOT_FOUND";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly changeWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ChangeWebhook"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Webhook"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `BAD_WEBHOOK_URL`: Not a URL that events are sent to. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "BAD_WEBHOOK_URL" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `WEBHOOK_NOT_FOUND`: No such webhook */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "WEBHOOK_NOT_FOUND";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly rotateWebhookSecret: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": components["schemas"]["RotateWebhook"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NewWebhook"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `WEBHOOK_NOT_FOUND`: No such webhook */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "WEBHOOK_NOT_FOUND";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly testWebhook: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Accepted, and kept */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `WEBHOOK_NOT_FOUND`: No such webhook */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "WEBHOOK_NOT_FOUND";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listDeliveries: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
                readonly state?: "pending" | "delivered" | "failed";
            };
            readonly header?: never;
            readonly path: {
                readonly webhookId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DeliveryList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `WEBHOOK_NOT_FOUND`: No such webhook */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "WEBHOOK_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly resendDelivery: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly webhookId: string;
                readonly deliveryId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Accepted, and kept */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `DELIVERY_NOT_FOUND`: No such delivery. `WEBHOOK_NOT_FOUND`: No such webhook */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DELIVERY_NOT_FOUND" | "WEBHOOK_NOT_FOUND";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listApiKeys: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
                readonly tenant?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ApiKeyList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly createApiKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateApiKey"];
            };
        };
        readonly responses: {
            /** @description Accepted, and kept */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `API_KEY_EXISTS`: An API key of this name exists or has existed. `TOO_MANY`: More than this coordinator keeps */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "API_KEY_EXISTS" | "TOO_MANY";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getApiKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `API_KEY_NOT_FOUND`: No such API key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "API_KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `API_KEY_FIXED`: The API key is in the settings of the coordinator */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "API_KEY_FIXED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly revokeApiKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** @description `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `API_KEY_NOT_FOUND`: No such API key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "API_KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `API_KEY_FIXED`: The API key is in the settings of the coordinator */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "API_KEY_FIXED";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly rotateApiKey: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": components["schemas"]["RotateApiKey"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_JSON`: The body is not JSON. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_JSON" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `API_KEY_NOT_FOUND`: No such API key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "API_KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `API_KEY_ENDED`: The API key is revoked. `API_KEY_FIXED`: The API key is in the settings of the coordinator */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "API_KEY_ENDED" | "API_KEY_FIXED";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listApiCalls: {
        readonly parameters: {
            readonly query?: {
                readonly limit?: number;
                readonly cursor?: string;
                readonly fromMs?: number;
                readonly toMs?: number;
                readonly caller?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ApiCallList"];
                };
            };
            /** @description `BAD_CURSOR`: Not a cursor of this list. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_CURSOR" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `FORBIDDEN`: The role of this API key does not allow this */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "FORBIDDEN";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listPolicies: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["PolicyList"];
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listApprovers: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ApproverList"];
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly simulate: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Simulate"];
            };
        };
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Simulation"];
                };
            };
            /** @description `BAD_BODY`: The body does not have the right shape. `BAD_HEX`: Not hexadecimal. `BAD_JSON`: The body is not JSON. `BAD_KEY_ID`: Not a key id. `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `DUPLICATE_FIELD`: A field is named twice. `PAYLOAD_UNDECODABLE`: What cannot be decoded is not signed. `TOO_MANY_SIGNATURES`: More signatures than a request may have. `UNKNOWN_FIELD`: A field is not known. `UNKNOWN_PAYLOAD_TYPE`: No decoder for this payload type */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_BODY" | "BAD_HEX" | "BAD_JSON" | "BAD_KEY_ID" | "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "DUPLICATE_FIELD" | "PAYLOAD_UNDECODABLE" | "TOO_MANY_SIGNATURES" | "UNKNOWN_FIELD" | "UNKNOWN_PAYLOAD_TYPE";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `KEY_NOT_FOUND`: No such key */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "KEY_NOT_FOUND";
                    };
                };
            };
            /** @description `CHILD_INACTIVE`: The child key is suspended or revoked */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "CHILD_INACTIVE";
                    };
                };
            };
            /** @description `BODY_TOO_LARGE`: The body is too large. `PAYLOAD_TOO_LARGE`: The payload is too large */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BODY_TOO_LARGE" | "PAYLOAD_TOO_LARGE";
                    };
                };
            };
            /** @description `UNSUPPORTED_MEDIA_TYPE`: The body must be application/json */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getStatement: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly requestId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["StatementList"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `REQUEST_NOT_FOUND`: No such signing request */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "REQUEST_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listFreezes: {
        readonly parameters: {
            readonly query?: {
                readonly active?: boolean;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["FreezeList"];
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getLogCheckpoint: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly index: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/plain": string;
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `LOG_FILE_NOT_FOUND`: No such checkpoint or tile. `NODE_NOT_FOUND`: No such node */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "LOG_FILE_NOT_FOUND" | "NODE_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODE_REFUSED`: The node did not answer that */
            readonly 502: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODE_REFUSED";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getLogTile: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly index: string;
                readonly path: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/octet-stream": string;
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `LOG_FILE_NOT_FOUND`: No such checkpoint or tile. `NODE_NOT_FOUND`: No such node */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "LOG_FILE_NOT_FOUND" | "NODE_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `NODE_REFUSED`: The node did not answer that */
            readonly 502: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODE_REFUSED";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getReceipt: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly requestId: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Receipt"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `NO_RECEIPT`: Nothing was signed that there could be a receipt of. `REQUEST_NOT_FOUND`: No such signing request */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NO_RECEIPT" | "REQUEST_NOT_FOUND";
                    };
                };
            };
            /** @description `RECEIPT_NOT_READY`: There is no receipt yet */
            readonly 409: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RECEIPT_NOT_READY";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `RECEIPT_REFUSED`: What the nodes answered is no receipt that verifies */
            readonly 502: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RECEIPT_REFUSED";
                    };
                };
            };
            /** @description `NODES_UNREACHABLE`: Not every node is reachable. `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODES_UNREACHABLE" | "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly listNodes: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["NodeList"];
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getNode: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly index: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Node"];
                };
            };
            /** @description `BAD_PATH`: The path is wrong. `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_PATH" | "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `NODE_NOT_FOUND`: No such node */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "NODE_NOT_FOUND";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
    readonly getHealth: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Health"];
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
        };
    };
    readonly getReadiness: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Ready"];
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `DRAINING`: The coordinator takes no new requests. `NOT_READY`: Too few nodes are connected */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "DRAINING" | "NOT_READY";
                    };
                };
            };
        };
    };
    readonly getMetrics: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Done */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/plain": string;
                };
            };
            /** @description `BAD_QUERY`: A query parameter is wrong. `BAD_REQUEST`: The request cannot be understood. `UNKNOWN_FIELD`: A field is not known */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "BAD_QUERY" | "BAD_REQUEST" | "UNKNOWN_FIELD";
                    };
                };
            };
            /** @description `UNAUTHENTICATED`: A valid API key is required */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "UNAUTHENTICATED";
                    };
                };
            };
            /** @description `RATE_LIMITED`: Too many calls */
            readonly 429: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "RATE_LIMITED";
                    };
                };
            };
            /** @description `INTERNAL`: Internal error */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "INTERNAL";
                    };
                };
            };
            /** @description `STORE_UNAVAILABLE`: The database cannot be used at the moment */
            readonly 503: {
                headers: {
                    /** @description Seconds */
                    readonly "retry-after"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        readonly code?: "STORE_UNAVAILABLE";
                    };
                };
            };
        };
    };
}
