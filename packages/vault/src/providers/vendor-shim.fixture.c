// Test support: a PKCS#11 module in front of another one that behaves as the manuals of some vendors say theirs do. Everything that
// is not named here goes through. HSM_SHIM_MODULE: the module behind. HSM_SHIM: words of the list below. HSM_SHIM_LOG: a file that
// gets a line a call.
#include <dlfcn.h>
#include <fcntl.h>
#include <pkcs11/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GCM_TAG 16
#define TAIL_IV 16

static CK_FUNCTION_LIST ours;
static CK_FUNCTION_LIST *real;
static unsigned calls_of_encrypt, sessions;
// Of the encryption under way, for iv-tail.
static CK_BYTE tail_iv[TAIL_IV];
static int tail_pending;
// Of the operation under way, for late.
static CK_GCM_PARAMS late_params;
static CK_OBJECT_HANDLE late_key;
static int late_pending;

static int is(const char *word) {
  const char *at = getenv("HSM_SHIM"), *found = at ? strstr(at, word) : NULL;
  char after = found ? found[strlen(word)] : 'x';
  return found && (after == 0 || after == ' ');
}

static void note(const char *call) {
  const char *path = getenv("HSM_SHIM_LOG");
  int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
  if (fd < 0) return;
  if (write(fd, call, strlen(call)) < 0) abort();
  close(fd);
}

static void fresh(CK_BYTE *out, size_t length) {
  int fd = open("/dev/urandom", O_RDONLY);
  if (fd < 0 || read(fd, out, length) != (ssize_t)length) abort();
  close(fd);
}

static CK_RV initialize(void *args) {
  CK_C_INITIALIZE_ARGS *a = args;
  note("C_Initialize\n");
  // need-locking: as a module whose threads trip over each other without locks.
  if (is("need-locking") && (a == NULL || !(a->flags & CKF_OS_LOCKING_OK))) abort();
  CK_RV rv = real->C_Initialize(args);
  // shared: somebody else in the process was first.
  return rv == CKR_OK && is("shared") ? CKR_CRYPTOKI_ALREADY_INITIALIZED : rv;
}

static CK_RV finalize(void *reserved) {
  note("C_Finalize\n");
  sessions = 0;
  return real->C_Finalize(reserved);
}

// Whether a login has succeeded; makes it so first when asked to.
static int logged_in(int now) {
  char path[4096];
  const char *log = getenv("HSM_SHIM_LOG");
  snprintf(path, sizeof path, "%s.logged-in", log ? log : "/nonexistent/shim");
  int fd = now ? open(path, O_WRONLY | O_CREAT, 0600) : -1;
  if (fd >= 0) close(fd);
  return access(path, F_OK) == 0;
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
  CK_RV rv = real->C_GetTokenInfo(slot, info);
  // final-try: until a login succeeds, which has the token count anew.
  if (is("final-try") && !logged_in(0)) info->flags |= CKF_USER_PIN_FINAL_TRY;
  if (is("locked")) info->flags |= CKF_USER_PIN_LOCKED;
  return rv;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify, CK_SESSION_HANDLE *session) {
  // few-sessions: anchor, work and one more.
  if (is("few-sessions") && sessions >= 3) return CKR_SESSION_COUNT;
  CK_RV rv = real->C_OpenSession(slot, flags, app, notify, session);
  if (rv == CKR_OK) sessions++;
  return rv;
}

static CK_RV close_session(CK_SESSION_HANDLE session) {
  CK_RV rv = real->C_CloseSession(session);
  if (rv == CKR_OK && sessions > 0) sessions--;
  return rv;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG length) {
  note("C_Login\n");
  CK_RV rv = real->C_Login(session, user, pin, length);
  if (rv == CKR_OK && is("final-try")) logged_in(1);
  return rv;
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count) {
  note("C_FindObjectsInit\n");
  return real->C_FindObjectsInit(session, template, count);
}

static CK_RV init_late(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
  late_params = *(CK_GCM_PARAMS *)mechanism->pParameter;
  late_key = key;
  late_pending = 1;
  return CKR_OK;
}

// late: what the parameter points to is read when the data comes, which the standard does not forbid clearly enough.
static CK_MECHANISM late(void) {
  CK_MECHANISM mechanism = {CKM_AES_GCM, &late_params, sizeof late_params};
  late_pending = 0;
  return mechanism;
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
  if (mechanism->mechanism == CKM_AES_GCM && is("late")) return init_late(session, mechanism, key);
  return real->C_DecryptInit(session, mechanism, key);
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *out, CK_ULONG *out_length) {
  if (late_pending) {
    CK_MECHANISM mechanism = late();
    CK_RV rv = real->C_DecryptInit(session, &mechanism, late_key);
    if (rv != CKR_OK) return rv;
  }
  return real->C_Decrypt(session, data, length, out, out_length);
}

static CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
  tail_pending = 0;
  if (mechanism->mechanism == CKM_AES_GCM && is("late")) return init_late(session, mechanism, key);
  if (mechanism->mechanism != CKM_AES_GCM) return real->C_EncryptInit(session, mechanism, key);
  CK_GCM_PARAMS *params = mechanism->pParameter;
  // iv-param: the HSM makes the IV and writes it where ours was. iv-stuck: the same, but not random.
  if (is("iv-param")) fresh(params->pIv, params->ulIvLen);
  if (is("iv-stuck")) memset(params->pIv, 7, params->ulIvLen);
  if (!is("iv-tail")) return real->C_EncryptInit(session, mechanism, key);
  // iv-tail: the HSM makes an IV of 16 bytes and appends it to the ciphertext.
  CK_GCM_PARAMS own = *params;
  CK_MECHANISM with_own = {CKM_AES_GCM, &own, sizeof own};
  fresh(tail_iv, TAIL_IV);
  own.pIv = tail_iv;
  own.ulIvLen = TAIL_IV;
  own.ulIvBits = TAIL_IV * 8;
  tail_pending = 1;
  return real->C_EncryptInit(session, &with_own, key);
}

static CK_RV encrypt(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length, CK_BYTE *out, CK_ULONG *out_length) {
  // throttle: CloudHSM says so when it is asked too much.
  if (is("throttle") && ++calls_of_encrypt % 20 == 0) return CKR_DEVICE_ERROR;
  if (late_pending) {
    CK_MECHANISM mechanism = late();
    CK_RV init = real->C_EncryptInit(session, &mechanism, late_key);
    if (init != CKR_OK) return init;
  }
  CK_RV rv = real->C_Encrypt(session, data, length, out, out_length);
  if (rv != CKR_OK || !tail_pending) return rv;
  memcpy(out + *out_length, tail_iv, TAIL_IV);
  *out_length += TAIL_IV;
  tail_pending = 0;
  return rv;
}

static CK_RV attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG count) {
  CK_RV rv = real->C_GetAttributeValue(session, object, template, count);
  // bare-point: the point itself, without its OCTET STRING. The length is asked for first, and may be too large.
  if (rv == CKR_OK && is("bare-point") && template->type == CKA_EC_POINT && template->pValue != NULL) {
    template->ulValueLen -= 2;
    memmove(template->pValue, (CK_BYTE *)template->pValue + 2, template->ulValueLen);
  }
  return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
  const char *path = getenv("HSM_SHIM_MODULE");
  void *handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  CK_RV (*get)(CK_FUNCTION_LIST **) = handle ? (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(handle, "C_GetFunctionList") : NULL;
  if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  ours = *real;
  ours.C_Initialize = initialize;
  ours.C_Finalize = finalize;
  ours.C_GetTokenInfo = token_info;
  ours.C_OpenSession = open_session;
  ours.C_CloseSession = close_session;
  ours.C_Login = login;
  ours.C_FindObjectsInit = find_init;
  ours.C_EncryptInit = encrypt_init;
  ours.C_Encrypt = encrypt;
  ours.C_DecryptInit = decrypt_init;
  ours.C_Decrypt = decrypt;
  ours.C_GetAttributeValue = attributes;
  *list = &ours;
  return CKR_OK;
}
