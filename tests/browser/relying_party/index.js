// A client of the provider that others wrote: node index.js FLOW ISSUER CLIENT_ID SECRET [REDIRECT_URI]
//
// It tells on stdout, a line of JSON each, where a browser must go and what it came to; what a browser came back with it
// reads from stdin. ID tokens are verified with the published keys, not only by where they came from.
import { createInterface } from 'node:readline/promises'
import * as oidc from 'openid-client'

const [flow, issuer, clientId, secret, redirectUri] = process.argv.slice(2)
const SCOPE = 'openid profile email offline_access executions:read'
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n')
const heard = async () => (await lines.next()).value

async function discovered() {
  const config = await oidc.discovery(new URL(issuer), clientId, secret || undefined,
    secret ? undefined : oidc.None(), { execute: [oidc.allowInsecureRequests] })
  oidc.enableNonRepudiationChecks(config)
  return config
}

async function withCode(config, pushed) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const expectedState = oidc.randomState()
  const expectedNonce = oidc.randomNonce()
  const parameters = {
    redirect_uri: redirectUri,
    scope: SCOPE,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }
  const url = pushed
    ? await oidc.buildAuthorizationUrlWithPAR(config, parameters)
    : oidc.buildAuthorizationUrl(config, parameters)
  tell({ go: url.href })
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  return oidc.authorizationCodeGrant(config, new URL(await heard()), checks)
}

async function lifeOf(config, tokens) {
  const claims = tokens.claims()
  const about = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  const active = (await oidc.tokenIntrospection(config, next.access_token)).active
  await oidc.tokenRevocation(config, next.refresh_token)
  const revoked = (await oidc.tokenIntrospection(config, next.access_token)).active
  const bye = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token })
  tell({ claims, about, scope: tokens.scope, active, revoked, rotated: next.refresh_token !== tokens.refresh_token, bye: bye.href })
}

async function withDevice(config) {
  const pending = await oidc.initiateDeviceAuthorization(config, { scope: 'openid email' })
  tell({ go: pending.verification_uri_complete, code: pending.user_code })
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, pending)
  tell({ claims: tokens.claims(), scope: tokens.scope })
}

const config = await discovered()
if (flow === 'code' || flow === 'pushed') await lifeOf(config, await withCode(config, flow === 'pushed'))
else if (flow === 'device') await withDevice(config)
else if (flow === 'own') {
  const tokens = await oidc.clientCredentialsGrant(config, { scope: 'executions:read' })
  tell({ scope: tokens.scope, type: tokens.token_type })
}
process.exit(0)
