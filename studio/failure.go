package studio

// The codes of jobs that fail for reasons of ours. Engines' own problems bring theirs.
const (
	CodeCrashed = "job_crashed"
	CodeEngine  = "engine_failed"
	CodeChecks  = "result_rejected"
	CodeInput   = "input_gone"
)

// failureWords says what a failed job's code means, and the way out. Credits are back in
// every case, because a failure releases the hold.
func failureWords(code string) string {
	switch code {
	case "":
		return ""
	case CodeCrashed:
		return "The work broke down several times in a row on this picture. Your credits are back. Try a smaller scale or another format."
	case CodeChecks:
		return "The result did not pass its quality check and was thrown away. Your credits are back. Try again or change the options."
	case CodeInput:
		return "The original reached its end before the work began. Your credits are back. Upload it again."
	case "model_missing":
		return "A model file is missing on the server. Its operator can fetch it with `musa models pull`. Your credits are back."
	}
	return "The work failed on the server. Your credits are back. Try again; if it fails again, change the options."
}
