// A holder of other makers from end to end: @openid4vc/openid4vci fetches, @sd-jwt/sd-jwt-vc verifies what came,
// @openid4vc/openid4vp shows it; an mdoc is read, verified and shown by @owf/mdoc. One JSON object in, one out.
import { X509Certificate, createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

import { MDOC, mdocHolder } from './npm_mdoc.mjs'

const task = JSON.parse(process.argv[2])
const load = (name) => import(pathToFileURL(createRequire(`${task.modules}/`).resolve(name)).href)
const { Openid4vciClient } = await load('@openid4vc/openid4vci')
const { Openid4vpClient } = await load('@openid4vc/openid4vp')
const { HashAlgorithm, clientAuthenticationAnonymous, clientAuthenticationNone, setGlobalConfig } =
  await load('@openid4vc/oauth2')
const { SDJwtVcInstance } = await load('@sd-jwt/sd-jwt-vc')
const jose = await load('jose')
const form = task.form ?? 'dc+sd-jwt'
setGlobalConfig({ allowInsecureUrls: true }) // loopback

const keys = new Map((task.keys ?? []).map((jwk) => [jwk.x, createPrivateKey({ key: jwk, format: 'jwk' })]))
const newKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicJwk = publicKey.export({ format: 'jwk' })
  keys.set(publicJwk.x, privateKey)
  return { method: 'jwk', alg: 'ES256', publicJwk }
}
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const read = (text) => JSON.parse(Buffer.from(text, 'base64url'))
const compact = (header, payload, key) => {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
const certificateOf = (text) => new X509Certificate(Buffer.from(text, 'base64'))

// Up the chain to the root that this holder trusts; the root itself is never sent.
const root = new X509Certificate(task.root)
const leafOf = (x5c) => {
  const chain = [...x5c.map(certificateOf), root]
  for (let at = 0; at + 1 < chain.length; at += 1) {
    if (!chain[at].checkIssued(chain[at + 1]) || !chain[at].verify(chain[at + 1].publicKey)) throw new Error('chain')
  }
  return chain[0]
}
const isSigned = (data, signature) => {
  const publicKey = leafOf(read(data.split('.')[0]).x5c).publicKey
  return verify('sha256', Buffer.from(data), { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
}

const callbacks = {
  fetch,
  hash: (data, alg) => createHash(alg === HashAlgorithm.Sha512 ? 'sha512' : 'sha256').update(data).digest(),
  generateRandom: (size) => randomBytes(size),
  clientAuthentication: task.clientId
    ? clientAuthenticationNone({ clientId: task.clientId }) : clientAuthenticationAnonymous(),
  getX509CertificateMetadata: (text) => {
    const names = (certificateOf(text).subjectAltName ?? '').split(', ')
    const of = (kind) => names.filter((one) => one.startsWith(kind)).map((one) => one.slice(kind.length))
    return { sanDnsNames: of('DNS:'), sanUriNames: of('URI:') }
  },
  signJwt: (signer, { header, payload }) => ({
    jwt: compact(header, payload, keys.get(signer.publicJwk.x)), signerJwk: signer.publicJwk,
  }),
  verifyJwt: (signer, { compact: text }) => {
    const [head, body, signature] = text.split('.')
    const verified = isSigned(`${head}.${body}`, signature)
    return { verified, signerJwk: leafOf(signer.x5c).publicKey.export({ format: 'jwk' }) }
  },
  encryptJwe: async (encryptor, data) => ({
    encryptionJwk: encryptor.publicJwk,
    jwe: await new jose.CompactEncrypt(new TextEncoder().encode(data))
      .setProtectedHeader({ alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid })
      .encrypt(await jose.importJWK(encryptor.publicJwk, encryptor.alg)),
  }),
  decryptJwe: () => { throw new Error('not used') },
}

async function receive() {
  const client = new Openid4vciClient({ callbacks })
  const credentialOffer = await client.resolveCredentialOffer(task.offer)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const described = issuerMetadata.credentialIssuer.credential_configurations_supported
  const configuration = credentialOffer.credential_configuration_ids.find((id) => described[id].format === form)
  const dpop = { signer: newKey() }
  const token = await (task.loginCode ? byCode : byOffer)(client, { credentialOffer, issuerMetadata, configuration, dpop })
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
  const jwt = []
  for (let count = 0; count < task.copies; count += 1) {
    jwt.push((await client.createCredentialRequestJwtProof({
      issuerMetadata, signer: newKey(), nonce, clientId: task.clientId, issuedAt: new Date(),
      credentialConfigurationId: configuration,
    })).jwt)
  }
  const fetched = await client.retrieveCredentials({
    issuerMetadata, accessToken: token.accessTokenResponse.access_token, dpop: token.dpop,
    credentialConfigurationId: configuration, proofs: { jwt },
  })
  await client.sendNotification({
    issuerMetadata, accessToken: token.accessTokenResponse.access_token,
    dpop: { ...dpop, nonce: fetched.dpop?.nonce ?? token.dpop?.nonce },
    notification: { notificationId: fetched.credentialResponse.notification_id, event: 'credential_accepted' },
  })
  return {
    tokenType: token.accessTokenResponse.token_type,
    credentials: fetched.credentialResponse.credentials.map((one) => one.credential),
  }
}

const byOffer = (client, { credentialOffer, issuerMetadata, dpop }) =>
  client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode: task.txCode, dpop })

async function byCode(client, { credentialOffer, issuerMetadata, configuration, dpop }) {
  const begun = await client.initiateAuthorization({
    credentialOffer, issuerMetadata, clientId: task.clientId, redirectUri: task.redirectUri, state: 'state-1',
    scope: issuerMetadata.credentialIssuer.credential_configurations_supported[configuration].scope, dpop,
  })
  const asked = new URL(begun.authorizationRequestUrl)
  if (!asked.searchParams.has('request_uri')) throw new Error('not pushed')
  const answer = await fetch(asked.origin + asked.pathname, {
    method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      client_id: asked.searchParams.get('client_id'), request_uri: asked.searchParams.get('request_uri'),
      login_code: task.loginCode, decision: 'approve',
    }),
  })
  const redirected = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: answer.headers.get('location'), authorizationServerMetadata: issuerMetadata.authorizationServers[0],
  })
  return client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: redirected.code, pkceCodeVerifier: begun.pkce.codeVerifier,
    redirectUri: task.redirectUri, dpop,
  })
}

const library = new SDJwtVcInstance({
  hasher: (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(Buffer.from(data)).digest()),
  hashAlg: 'sha-256',
  verifier: isSigned,
  statusVerifier: isSigned, // the list itself is fetched by the library
})

const mdocs = form === MDOC && mdocHolder({ mdoc: await load('@owf/mdoc'), jose, root, keys })

// What the library says of a credential: its claims, or why it does not hold.
async function examine(credential) {
  if (mdocs) return mdocs.examine(credential)
  try {
    const { payload, header } = await library.verify(credential)
    return { claims: payload, typ: header.typ }
  } catch (error) {
    return { error: error.message }
  }
}

async function presentSdJwt(request, disclose, credential) {
  const frame = Object.fromEntries(disclose.map((name) => [name, true]))
  const chosen = await library.present(credential, frame)
  const holder = keys.get(read(credential.split('.')[1]).cnf.jwk.x)
  return chosen + compact({ alg: 'ES256', typ: 'kb+jwt' }, {
    iat: Math.floor(Date.now() / 1000), aud: request.client_id, nonce: request.nonce,
    sd_hash: createHash('sha256').update(chosen).digest('base64url'),
  }, holder)
}

async function show(wish, credential) {
  const client = new Openid4vpClient({ callbacks })
  const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: wish.link })
  const asked = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params })
  const request = asked.authorizationRequestPayload
  const [query] = request.dcql_query.credentials
  const presentation = mdocs
    ? await mdocs.present(credential, request, query, wish.nonce) : await presentSdJwt(request, wish.disclose, credential)
  const made = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: {
      vp_token: Object.fromEntries(request.dcql_query.credentials.map((one) => [one.id, [presentation]])),
    },
    ...(request.response_mode === 'direct_post.jwt' && {
      jarm: { encryption: { nonce: randomBytes(16).toString('base64url') }, serverMetadata: {
        authorization_encryption_alg_values_supported: ['ECDH-ES'],
        authorization_encryption_enc_values_supported: [wish.enc],
      } },
    }),
  })
  const sent = await client.submitOpenid4vpAuthorizationResponse({ authorizationRequestPayload: request, ...made })
  return { status: sent.response.status, mode: request.response_mode }
}

const received = task.credentials ? { credentials: task.credentials } : await receive()
const examined = []
for (const credential of received.credentials) examined.push(await examine(credential))
const shown = []
for (const [at, wish] of (task.show ?? []).entries()) shown.push(await show(wish, received.credentials[at]))
const kept = [...keys.values()].map((key) => key.export({ format: 'jwk' }))
console.log(JSON.stringify({ ...received, examined, shown, keys: kept }))
