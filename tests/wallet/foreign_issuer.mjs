// An issuer of other makers: @openid4vc/openid4vci and @openid4vc/oauth2 behind node's http, credentials by
// @sd-jwt/sd-jwt-vc. One JSON object in; one line out (where it is, and an offer); it ends with its input.
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const task = JSON.parse(process.argv[2])
const load = (name) => import(pathToFileURL(createRequire(task.modules + '/').resolve(name)).href)
const { Openid4vciIssuer } = await load('@openid4vc/openid4vci')
const { HashAlgorithm, Oauth2AuthorizationServer, Oauth2ServerErrorResponseError, setGlobalConfig } =
  await load('@openid4vc/oauth2')
const { SDJwtVcInstance } = await load('@sd-jwt/sd-jwt-vc')
setGlobalConfig({ allowInsecureUrls: true }) // loopback

const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
const CONFIGURATION = 'food-licence'
const random = () => randomBytes(24).toString('base64url')
const key = createPrivateKey({ key: task.key, format: 'jwk' })
const es256 = (data) => sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
const callbacks = {
  hash: (data, alg) => createHash(alg === HashAlgorithm.Sha512 ? 'sha512' : 'sha256').update(data).digest(),
  generateRandom: (size) => randomBytes(size),
  signJwt: () => { throw new Error('not used') },
  verifyJwt: (signer, { compact }) => {
    const [header, payload, signature] = compact.split('.')
    const by = createPublicKey({ key: signer.publicJwk, format: 'jwk' })
    const good = verify('sha256', Buffer.from(`${header}.${payload}`), { key: by, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'))
    return { verified: good, signerJwk: signer.publicJwk }
  },
}
const issuer = new Openid4vciIssuer({ callbacks })
const server = new Oauth2AuthorizationServer({ callbacks })
const sdjwt = new SDJwtVcInstance({
  signer: es256, signAlg: 'ES256', hashAlg: 'sha-256', hasher: (data) => createHash('sha256').update(data).digest(),
  saltGenerator: () => random(),
})

const state = { nonces: new Set(), dpopNonce: random(), tokens: new Map(), refresh: new Map(), pushed: new Map(),
  codes: new Map(), preAuthorized: random(), txCode: '4711', events: [], refreshed: 0 }

async function metadata(base) {
  const credentialIssuer = issuer.createCredentialIssuerMetadata({
    credential_issuer: base,
    credential_endpoint: `${base}/credential`,
    nonce_endpoint: `${base}/nonce`,
    notification_endpoint: `${base}/notification`,
    batch_credential_issuance: { batch_size: task.batchSize ?? 3 },
    display: [{ name: 'Elsewhere Office', locale: 'en' }, { name: '外地机关', locale: 'zh-CN' }],
    credential_configurations_supported: {
      [CONFIGURATION]: {
        format: 'dc+sd-jwt', vct: task.vct, scope: 'food',
        cryptographic_binding_methods_supported: ['jwk'],
        credential_signing_alg_values_supported: ['ES256'],
        proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } },
        credential_metadata: {
          display: [{ name: 'Food licence', locale: 'en' }, { name: '食品证', locale: 'zh-CN' }],
          claims: [{ path: ['name'], display: [{ name: '名称', locale: 'zh-CN' }, { name: 'Name', locale: 'en' }] }],
        },
      },
    },
  })
  const authorizationServer = server.createAuthorizationServerMetadata({
    issuer: base,
    token_endpoint: `${base}/token`,
    authorization_endpoint: `${base}/authorize`,
    pushed_authorization_request_endpoint: `${base}/par`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    dpop_signing_alg_values_supported: ['ES256'],
    grant_types_supported: [PRE_AUTHORIZED, 'authorization_code', 'refresh_token'],
  })
  return { credentialIssuer, authorizationServers: [authorizationServer], originalDraftVersion: undefined,
    knownCredentialConfigurations: issuer.getKnownCredentialConfigurationsSupported(credentialIssuer) }
}

const needsNonce = (asked) => {
  const proof = asked.headers.get('dpop')
  const claims = proof && JSON.parse(Buffer.from(proof.split('.')[1], 'base64url'))
  return claims?.nonce !== state.dpopNonce
}

async function token(asked, form, meta) {
  if (needsNonce(asked)) return [400, { error: 'use_dpop_nonce' }]
  const parsed = server.parseAccessTokenRequest({ accessTokenRequest: form, request: asked })
  const common = {
    accessTokenRequest: parsed.accessTokenRequest, grant: parsed.grant, request: asked,
    authorizationServerMetadata: meta.authorizationServers[0],
    dpop: { ...parsed.dpop, required: true, allowedSigningAlgs: ['ES256'] },
  }
  let verified
  if (parsed.grant.grantType === PRE_AUTHORIZED) {
    verified = await server.verifyPreAuthorizedCodeAccessTokenRequest({
      ...common, expectedPreAuthorizedCode: state.preAuthorized, expectedTxCode: state.txCode,
    })
    state.preAuthorized = random() // it is good once
  } else if (parsed.grant.grantType === 'authorization_code') {
    const kept = state.codes.get(parsed.grant.code)
    state.codes.delete(parsed.grant.code)
    verified = await server.verifyAuthorizationCodeAccessTokenRequest({
      ...common, expectedCode: kept ? parsed.grant.code : 'none',
      pkce: { codeVerifier: parsed.pkceCodeVerifier, codeChallenge: kept?.code_challenge ?? '', codeChallengeMethod: 'S256' },
    })
  } else {
    const known = state.refresh.has(parsed.grant.refreshToken)
    verified = await server.verifyRefreshTokenAccessTokenRequest({
      ...common, expectedRefreshToken: known ? parsed.grant.refreshToken : 'none',
    })
    if (state.refresh.get(parsed.grant.refreshToken) !== verified.dpop.jwkThumbprint) return [400, { error: 'invalid_grant' }]
    state.refresh.delete(parsed.grant.refreshToken)
    state.refreshed += 1
  }
  const access = random(), refresh = random()
  state.tokens.set(access, verified.dpop.jwkThumbprint)
  state.refresh.set(refresh, verified.dpop.jwkThumbprint)
  return [200, { access_token: access, token_type: 'DPoP', expires_in: 300, refresh_token: refresh }]
}

async function opened(asked) {
  const access = (asked.headers.get('authorization') ?? '').replace(/^DPoP /, '')
  if (!state.tokens.has(access)) return false
  await server.verifyDpopJwt({
    dpopJwt: asked.headers.get('dpop'), request: asked, accessToken: access, expectedNonce: state.dpopNonce,
    expectedJwkThumbprint: state.tokens.get(access), allowedSigningAlgs: ['ES256'],
  })
  return true
}

async function credential(asked, body, meta) {
  if (!(await opened(asked))) return [401, { error: 'invalid_token' }]
  const parsed = issuer.parseCredentialRequest({ issuerMetadata: meta, credentialRequest: body })
  const credentials = []
  let nonce
  for (const jwt of parsed.proofs.jwt) {
    nonce = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url')).nonce
    if (!state.nonces.has(nonce)) return [400, { error: 'invalid_nonce' }]
    const proven = await issuer.verifyCredentialRequestJwtProof({ issuerMetadata: meta, jwt, expectedNonce: nonce })
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: meta.credentialIssuer.credential_issuer, vct: task.vct, iat: now, exp: now + 86400, name: '外地小店', city: '外地',
      cnf: { jwk: proven.signer.publicJwk } }
    credentials.push({ credential: await sdjwt.issue(claims, { _sd: ['name', 'city'] }, { header: { x5c: task.x5c } }) })
  }
  state.nonces.delete(nonce)
  return [200, issuer.createCredentialResponse({ credentialRequest: parsed, credentials, notificationId: random() })]
}

async function par(asked, form) {
  if (needsNonce(asked)) return [400, { error: 'use_dpop_nonce' }]
  const parsed = await server.parsePushedAuthorizationRequest({ authorizationRequest: form, request: asked })
  if (parsed.authorizationRequest.code_challenge_method !== 'S256') return [400, { error: 'invalid_request' }]
  const { pushedAuthorizationResponse } = server.createPushedAuthorizationResponse({
    expiresInSeconds: 60, requestUri: `urn:ietf:params:oauth:request_uri:${random()}`,
  })
  state.pushed.set(pushedAuthorizationResponse.request_uri, parsed.authorizationRequest)
  return [201, pushedAuthorizationResponse]
}

const web = createServer(async (request, response) => {
  const base = `http://127.0.0.1:${web.address().port}`
  const url = new URL(request.url, base)
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  const asked = { headers: new Headers(request.headers), method: request.method, url: url.href }
  const meta = await metadata(base)
  const form = () => Object.fromEntries(new URLSearchParams(text))
  const routes = {
    '/.well-known/openid-credential-issuer': () => [200, meta.credentialIssuer],
    '/.well-known/oauth-authorization-server': () => [200, meta.authorizationServers[0]],
    '/offer': () => [200, state.offers.get(url.searchParams.get('flow'))],
    '/token': () => token(asked, form(), meta),
    '/par': () => par(asked, form()),
    '/nonce': () => { const made = random(); state.nonces.add(made); return [200, issuer.createNonceResponse({ cNonce: made })] },
    '/credential': () => credential(asked, JSON.parse(text), meta),
    '/notification': async () => {
      if (!(await opened(asked))) return [401, { error: 'invalid_token' }]
      state.events.push(JSON.parse(text).event)
      return [204, null]
    },
    '/authorize': () => { // whoever comes here agrees
      const kept = state.pushed.get(url.searchParams.get('request_uri'))
      const code = random()
      state.codes.set(code, kept)
      const to = new URL(kept.redirect_uri)
      to.search = new URLSearchParams({ code, state: kept.state, iss: base })
      return [302, { location: to.href }]
    },
    '/events': () => [200, { events: state.events, refreshed: state.refreshed }],
  }
  let status, body
  try {
    ;[status, body] = await (routes[url.pathname] ?? (() => [404, {}]))()
  } catch (error) {
    if (!(error instanceof Oauth2ServerErrorResponseError)) console.error(error)
    ;[status, body] = [400, error.errorResponse ?? { error: 'server_error', error_description: String(error.message) }]
  }
  const headers = { 'content-type': 'application/json', 'dpop-nonce': state.dpopNonce }
  if (status === 302) headers.location = body.location
  response.writeHead(status, headers).end(body === null ? undefined : JSON.stringify(body))
})

web.listen(0, '127.0.0.1', async () => {
  const base = `http://127.0.0.1:${web.address().port}`
  const meta = await metadata(base)
  state.offers = new Map()
  const offer = async (flow, grants) => {
    const made = await issuer.createCredentialOffer({
      issuerMetadata: meta, credentialConfigurationIds: [CONFIGURATION], grants,
      credentialOfferUri: `${base}/offer?flow=${flow}`,
    })
    state.offers.set(flow, made.credentialOfferObject)
    return made.credentialOffer
  }
  const counter = await offer('counter', {
    [PRE_AUTHORIZED]: { 'pre-authorized_code': state.preAuthorized, tx_code: { input_mode: 'numeric', length: 4 } },
  })
  const signIn = await offer('sign-in', { authorization_code: { issuer_state: 'somebody' } })
  console.log(JSON.stringify({ base, counter, signIn, txCode: state.txCode }))
})
process.stdin.resume().on('end', () => process.exit(0))
